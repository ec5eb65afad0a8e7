"""How much a network computes, counted from its layers."""

import math
from typing import Any


def training_flops(model: Any) -> int:
    """Floating-point operations of a training step for one image.

    Convolutions and fully connected layers count: a multiplication and an addition
    for each weight and place in the forward pass, twice that in the backward pass. What the
    other layers and the optimizer do is not counted.
    """
    return 6 * sum(_multiplications(layer) for layer in model.layers)


def _multiplications(layer: Any) -> int:
    kernel = getattr(layer, "kernel", None)
    if kernel is None:
        return 0
    places: tuple[int, ...] = layer.output.shape[1:-1]
    weights: tuple[int, ...] = tuple(kernel.shape)
    return math.prod(weights) * math.prod(places)
