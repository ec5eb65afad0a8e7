"""Places the boxes of a directed graph in layers, from top to bottom."""

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Final

GAP: Final = 18
"""Between neighbours in a layer."""
LAYER_GAP: Final = 30
SWEEPS: Final = 12

Edge = tuple[str, str]


@dataclasses.dataclass
class Box:
    """Something with a size; ``x`` and ``y`` of its upper left corner are what is looked for."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0

    @property
    def middle(self) -> float:
        """Its middle from left to right."""
        return self.x + self.width / 2


@dataclasses.dataclass
class Layout:
    """A graph with a place for each box.

    Attributes:
        width: Of everything.
        height: Of everything.
        bends: For each edge the boxes without a width that it passes through, from top to bottom.
    """

    width: float
    height: float
    bends: dict[Edge, list[Box]]


def place(boxes: dict[str, Box], edges: Sequence[Edge], ports: Collection[str] = ()) -> Layout:
    """Gives each box its place; an edge leads from a higher box to a lower one.

    The layers are those of Sugiyama's method: each box as low as it can be, an edge that passes a
    layer bent there, the order in a layer by the middle of the neighbours.

    Args:
        boxes: By name; their places are changed.
        edges: Between them; there is no circle.
        ports: Boxes that have the first layer to themselves.
    """
    layer_of = _layers(boxes, edges)
    if ports:
        first = min(layer_of[name] for name in boxes if name not in ports)
        layer_of = {
            name: 0 if name in ports else layer - first + 1 for name, layer in layer_of.items()
        }
    layers: list[dict[str, Box]] = [{} for _ in range(max(layer_of.values()) + 1)]
    for name, box in boxes.items():
        layers[layer_of[name]][name] = box
    links: list[Edge] = []
    bends: dict[Edge, list[Box]] = {}
    for edge in edges:
        first, last = layer_of[edge[0]], layer_of[edge[1]]
        names = [f"{edge[0]}>{edge[1]}@{layer}" for layer in range(first + 1, last)]
        bends[edge] = [layers[first + 1 + n].setdefault(name, Box(0, 0))
                       for n, name in enumerate(names)]  # fmt: skip
        path = [edge[0], *names, edge[1]]
        links += pairwise(path)
    ordered = _order([list(layer) for layer in layers], links)
    known = {name: box for layer in layers for name, box in layer.items()}
    _place_across(ordered, known, links)
    height = _place_down(ordered, known)
    return Layout(max(box.x + box.width for box in known.values()), height, bends)


def _layers(boxes: Mapping[str, Box], edges: Sequence[Edge]) -> dict[str, int]:
    below = {name: [end for start, end in edges if start == name] for name in boxes}
    from_end: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in from_end:
            from_end[name] = max((depth(end) + 1 for end in below[name]), default=0)
        return from_end[name]

    last = max(map(depth, boxes))
    return {name: last - depth(name) for name in boxes}


def _order(layers: list[list[str]], links: Sequence[Edge]) -> list[list[str]]:
    neighbours: dict[str, list[str]] = {name: [] for layer in layers for name in layer}
    for start, end in links:
        neighbours[start].append(end)
        neighbours[end].append(start)
    best, fewest = layers, _crossings(layers, links)
    for sweep in range(SWEEPS):
        at = {name: index / len(layer) for layer in layers for index, name in enumerate(layer)}
        down = range(1, len(layers))
        for number in down if sweep % 2 == 0 else reversed(range(len(layers) - 1)):
            fixed = set(layers[number - 1] if sweep % 2 == 0 else layers[number + 1])
            layer = layers[number]

            def middle(name: str, fixed: set[str] = fixed, at: dict[str, float] = at) -> float:
                seen = [at[other] for other in neighbours[name] if other in fixed]
                return sum(seen) / len(seen) if seen else at[name]

            layer = sorted(layer, key=middle)
            layers = [*layers[:number], layer, *layers[number + 1 :]]
            at |= {name: index / len(layer) for index, name in enumerate(layer)}
        if (crossings := _crossings(layers, links)) < fewest:
            best, fewest = layers, crossings
    return best


def _crossings(layers: list[list[str]], links: Sequence[Edge]) -> int:
    at = {name: (number, index) for number, layer in enumerate(layers)
          for index, name in enumerate(layer)}  # fmt: skip
    ends = [(at[start], at[end][1]) for start, end in links]
    return sum(
        one[0] == other[0] and (one[1] - other[1]) * (a - b) < 0
        for index, (one, a) in enumerate(ends)
        for other, b in ends[:index]
    )


def _place_across(layers: list[list[str]], boxes: Mapping[str, Box], links: Sequence[Edge]) -> None:
    for layer in layers:
        x = 0.0
        for name in layer:
            boxes[name].x = x
            x += boxes[name].width + GAP
    for sweep in range(4 * SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            _pull(layer, boxes, links)
    left = min(box.x for box in boxes.values())
    for box in boxes.values():
        box.x -= left


def _pull(layer: list[str], boxes: Mapping[str, Box], links: Sequence[Edge]) -> None:
    """Moves the boxes of a layer towards what they are linked with, in their order."""
    wanted = {}
    for name in layer:
        ends = [boxes[b if a == name else a].middle for a, b in links if name in (a, b)]
        middle = sum(ends) / len(ends) if ends else boxes[name].middle
        wanted[name] = middle - boxes[name].width / 2
    # From the left as far as wanted, from the right likewise: the mean keeps the gaps.
    lowest, at = {}, float("-inf")
    for name in layer:
        lowest[name] = max(wanted[name], at)
        at = lowest[name] + boxes[name].width + GAP
    highest, at = {}, float("inf")
    for name in reversed(layer):
        highest[name] = min(wanted[name], at - boxes[name].width)
        at = highest[name] - GAP
    for name in layer:
        boxes[name].x = (lowest[name] + highest[name]) / 2


def _place_down(layers: list[list[str]], boxes: Mapping[str, Box]) -> float:
    y = 0.0
    for layer in layers:
        height = max(boxes[name].height for name in layer)
        for name in layer:
            if not boxes[name].height:
                boxes[name].height = height
            boxes[name].y = y + (height - boxes[name].height) / 2
        y += height + LAYER_GAP
    return y - LAYER_GAP
