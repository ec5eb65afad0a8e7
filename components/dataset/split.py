"""Which training examples become validation examples, and in which order both are written."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from components.dataset.errors import DataError, ParameterError

ONE_IN: Final = 12
"""Of so many training examples one is for validation, if nothing else is wanted: FashionMNIST's
5,000."""
BLOCK: Final = 1 << 16
"""Examples handled at a time, so that 64-bit index arrays stay small."""


def shuffled_positions(
    labels: NDArray[np.uint8], classes: Sequence[str], validation_examples: int, seed: int
) -> NDArray[np.uint32]:
    """The place of each example: the shuffled training split, then the shuffled validation split.

    Equal arguments give equal positions.

    Args:
        labels: uint8 [n], each below the number of classes.
        classes: The name of each class.
        validation_examples: Size of the validation split, stratified by class.
        seed: 0 or more.

    Returns:
        uint32 [n], a permutation: example i goes to place ``positions[i]``; the places from
        ``n - validation_examples`` on are the validation split.

    Raises:
        ParameterError: ``validation_examples`` or ``seed`` is out of range.
        DataError: No training example of some class would be left.
    """
    if seed < 0:
        raise ParameterError(f"seed is {seed}, expected 0 or more")
    shares = allocate(labels, classes, validation_examples)
    order = np.arange(len(labels), dtype=np.uint32)
    random = np.random.default_rng(seed)
    random.shuffle(order)
    order = _validation_last(order, labels, shares)
    # Without this, classes would be in unequal proportions along both splits.
    for part in np.split(order, [len(labels) - validation_examples]):
        random.shuffle(part)
    positions = np.empty_like(order)
    for start in range(0, len(order), BLOCK):
        block = order[start : start + BLOCK]
        positions[block] = np.arange(start, start + len(block), dtype=np.uint32)
    return positions


def allocate(
    labels: NDArray[np.uint8], classes: Sequence[str], validation_examples: int
) -> NDArray[np.int64]:
    """Validation examples of each class, by largest remainder: int64 [classes].

    Each class has its share of the data, rounded down or up; the sum is exact. The last training
    example of a class is taken only if there is no other.

    Raises:
        ParameterError: There are not more training examples.
        DataError: No training example of some class would be left.
    """
    if not 0 <= validation_examples < len(labels):
        raise ParameterError(
            f"validation_examples is {validation_examples}, expected 0 to {len(labels) - 1}: there "
            f"are only {len(labels)} training examples"
        )
    counts = np.bincount(labels, minlength=len(classes)).astype(np.int64)
    shares, remainders = np.divmod(counts * validation_examples, len(labels))
    missing = validation_examples - int(shares.sum())
    remainders[shares + 1 == counts] -= len(labels)
    remainders[counts == 0] -= 2 * len(labels)
    shares[np.argsort(-remainders, kind="stable")[:missing]] += 1
    exhausted = np.flatnonzero((shares == counts) & (counts > 0))
    if len(exhausted):
        label = int(exhausted[0])
        raise DataError(
            f"all {counts[label]} examples of class {label} ({classes[label]}) would go to "
            f"validation; make validation_examples smaller than {validation_examples}"
        )
    return shares


def _validation_last(
    order: NDArray[np.uint32], labels: NDArray[np.uint8], shares: NDArray[np.int64]
) -> NDArray[np.uint32]:
    """Moves the first ``shares[c]`` of each class c to the end; keeps the order otherwise."""
    held_out = np.zeros(len(order), bool)
    shuffled = labels[order]
    for label, share in enumerate(shares):
        held_out[np.flatnonzero(shuffled == label)[:share]] = True
    return np.concatenate([order[~held_out], order[held_out]])
