"""Draws the graph of a compiled pipeline as an SVG, from the spec alone.

``python -m scripts.picture_of_pipeline OUT.svg`` draws ``compiled/pipeline.yaml``.
"""

import dataclasses
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from pipeline.compiler import COMPILED, PIPELINE
from pipeline.specs import spec as specs
from scripts.layout import Box, Edge, place

CHARACTER: Final = 7.4
MARGIN: Final = 16
LABEL: Final = 16
"""Room for what stands at the foot of a group, where no edge enters it."""
STYLE: Final = """
.ground{fill:#fff}.group{fill:#f6f8fa;stroke:#8c959f;stroke-dasharray:5 4}
.step{fill:#ddf4ff;stroke:#0969da}.artifact{fill:#fff;stroke:#8c959f}
.edge{fill:none;stroke:#8c959f;stroke-width:1.3}.head{fill:#8c959f}
text{font:14px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2328}
.name{font-weight:600}.small{font-size:12.5px;fill:#57606a}
@media (prefers-color-scheme:dark){
.ground{fill:#0d1117}.group{fill:#161b22;stroke:#6e7681}
.step{fill:#0c2d6b;stroke:#58a6ff}.artifact{fill:#0d1117;stroke:#6e7681}
.edge{stroke:#8b949e}.head{fill:#8b949e}text{fill:#e6edf3}.small{fill:#9198a1}}
""".replace("\n", "")

Point = tuple[float, float]


@dataclasses.dataclass
class Node:
    """A step, an artifact that a step hands to another, or a group of nodes under a condition.

    Attributes:
        kind: ``step``, ``artifact`` or ``group``; also its class in the drawing.
        lines: What stands in it.
        inner: The nodes of a group, by name.
        edges: Between the nodes of a group.
        box: Its place in its group.
        holder: For each node in a group, at any depth, the one that stands directly in it.
        ports: Where edges from outside, by their start, enter a group.
        bends: What the group's edges pass, see ``Layout``.
    """

    kind: str
    lines: list[str]
    inner: dict[str, "Node"] = dataclasses.field(default_factory=dict)
    edges: list[Edge] = dataclasses.field(default_factory=list)
    box: Box = dataclasses.field(default_factory=lambda: Box(0, 0))
    holder: dict[str, str] = dataclasses.field(default_factory=dict)
    ports: dict[str, Box] = dataclasses.field(default_factory=dict)
    bends: dict[Edge, list[Box]] = dataclasses.field(default_factory=dict)

    def ends(self, edge: Edge) -> Edge:
        """An edge as the group has it: from a node in it or a port, to a node in it."""
        return self.holder.get(edge[0], edge[0]), self.holder[edge[1]]


def graph(spec: specs.Spec) -> Node:
    """The graph of a spec: a group that holds everything.

    A pipeline inside the pipeline is no node of its own: its steps are.
    """
    whole = Node("group", [])
    _add(spec, spec["root"], whole, {})
    used = {edge[0] for edge in _edges(whole)}
    _tidy(whole, used)
    return whole


def _add(spec: specs.Spec, dag: specs.Spec, group: Node, given: Mapping[str, str]) -> None:
    """Adds the tasks of ``dag`` to a group.

    Args:
        spec: The whole spec.
        dag: A component of it.
        group: Where they go.
        given: The artifact node behind each input of ``dag``.
    """
    for name, task in dag["dag"]["tasks"].items():
        component = spec["components"][task["componentRef"]["name"]]
        inputs = {
            key: _origin(value, given)
            for key, value in task.get("inputs", {}).get("artifacts", {}).items()
        }
        if "dag" not in component:
            group.inner[name] = Node("step", [task["taskInfo"]["name"]])
            for key in component.get("outputDefinitions", {}).get("artifacts", {}):
                group.inner[f"{name}.{key}"] = Node("artifact", [key])
                group.edges.append((name, f"{name}.{key}"))
            group.edges += [(artifact, name) for artifact in dict.fromkeys(inputs.values())]
        elif condition := task.get("triggerPolicy", {}).get("condition"):
            label = f"{'else' if condition.startswith('!') else 'if'}: {task['taskInfo']['name']}"
            group.inner[name] = Node("group", [label])
            _add(spec, component, group.inner[name], inputs)
        else:
            _add(spec, component, group, inputs)


def _origin(value: specs.Spec, given: Mapping[str, str]) -> str:
    if "componentInputArtifact" in value:
        return given[value["componentInputArtifact"]]
    output = value["taskOutputArtifact"]
    return f"{output['producerTask']}.{output['outputArtifactKey']}"


def _edges(group: Node) -> Iterator[Edge]:
    yield from group.edges
    for node in group.inner.values():
        yield from _edges(node)


def _tidy(group: Node, used: set[str]) -> None:
    """Writes artifacts that no step takes into the step that leaves them, instead of beside it."""
    for step, artifact in [edge for edge in group.edges if edge[1] not in used]:
        if group.inner.get(artifact, group).kind == "artifact":
            group.edges.remove((step, artifact))
            group.inner[step].lines += group.inner.pop(artifact).lines
    for node in group.inner.values():
        _tidy(node, used)


def arrange(group: Node) -> None:
    """Gives all that is in a group its place in it, and the group its size."""
    for node in group.inner.values():
        if node.kind == "group":
            arrange(node)
        else:
            node.box = _box(node)
    group.holder = {
        deep: name for name, node in group.inner.items() for deep in [name, *_names(node)]
    }
    ends = list(dict.fromkeys(group.ends(edge) for edge in _edges(group)))
    group.ports = {start: Box(0, 0) for start, _ in ends if start not in group.inner}
    boxes = {**group.ports, **{name: node.box for name, node in group.inner.items()}}
    seen = place(boxes, [edge for edge in ends if edge[0] != edge[1]], group.ports)
    group.bends = seen.bends
    for box in [*boxes.values(), *(box for path in seen.bends.values() for box in path)]:
        box.x, box.y = box.x + MARGIN, box.y + MARGIN
    label = LABEL if group.lines else 0
    group.box = Box(seen.width + 2 * MARGIN, seen.height + 2 * MARGIN + label)


def _box(node: Node) -> Box:
    first, *others = node.lines
    longest = max([len(first) * 1.15, *(len(line) * 0.92 for line in others)])
    height = 26 if node.kind == "artifact" else 18 + 17 * len(node.lines)
    return Box(longest * CHARACTER + 24, height)


def _names(group: Node) -> Iterator[str]:
    for name, node in group.inner.items():
        yield name
        yield from _names(node)


def draw(spec: specs.Spec) -> str:
    """The SVG of a spec's graph."""
    whole = graph(spec)
    arrange(whole)
    width, height = whole.box.width, whole.box.height
    title = f"The graph of the pipeline {spec['pipelineInfo']['name']}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-label="{title}">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n"
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>\n'
        f'<rect class="ground" width="{width:.0f}" height="{height:.0f}" rx="9"/>\n'
        + "\n".join([*_frames(whole), *_lines(whole), *_boxes(whole)])
        + "\n</svg>\n"
    )


def _frames(group: Node, x: float = 0, y: float = 0) -> Iterator[str]:
    for node in group.inner.values():
        if node.kind == "group":
            yield _rectangle(node, x, y, 6)
            yield (
                f'<text class="small" x="{x + node.box.x + 14:.1f}" '
                f'y="{y + node.box.y + node.box.height - 13:.1f}">'
                f"{escape(node.lines[0])}</text>"
            )
            yield from _frames(node, x + node.box.x, y + node.box.y)


def _boxes(group: Node, x: float = 0, y: float = 0) -> Iterator[str]:
    for node in group.inner.values():
        if node.kind == "group":
            yield from _boxes(node, x + node.box.x, y + node.box.y)
            continue
        yield _rectangle(node, x, y, 13 if node.kind == "artifact" else 6)
        first = y + node.box.y + (17.5 if node.kind == "artifact" else 22)
        for number, line in enumerate(node.lines):
            style = "name" if node.kind == "step" and not number else "small"
            yield (
                f'<text class="{style}" text-anchor="middle" x="{x + node.box.middle:.1f}" '
                f'y="{first + 17 * number:.1f}">{escape(line)}</text>'
            )


def _rectangle(node: Node, x: float, y: float, radius: int) -> str:
    box = node.box
    return (
        f'<rect class="{node.kind}" x="{x + box.x:.1f}" y="{y + box.y:.1f}" '
        f'width="{box.width:.1f}" height="{box.height:.1f}" rx="{radius}"/>'
    )


def _lines(group: Node, x: float = 0, y: float = 0) -> Iterator[str]:
    for edge in _edges(group):
        if edge[0] in group.inner:
            box = group.inner[edge[0]].box
            start = (x + box.middle, y + box.y + box.height)
            points = [start, *_route(group, x, y, edge)]
            curve = "".join(_bow(a, b) for a, b in pairwise(points))
            yield f'<path class="edge" marker-end="url(#head)" d="M{_at(*start)}{curve}"/>'
    for node in group.inner.values():
        yield from _lines(node, x + node.box.x, y + node.box.y)


def _route(group: Node, x: float, y: float, edge: Edge) -> Iterator[Point]:
    """The points that an edge passes in a group, the last one the upper side of its end."""
    _, name = ends = group.ends(edge)
    node = group.inner[name]
    for box in group.bends[ends]:
        yield x + box.x, y + box.y
        yield x + box.x, y + box.y + box.height
    if node.kind != "group":
        yield x + node.box.middle, y + node.box.y
        return
    x, y = x + node.box.x, y + node.box.y
    port = node.ports[edge[0]]
    yield x + port.x, y
    yield x + port.x, y + port.y
    yield from _route(node, x, y, edge)


def _bow(start: Point, end: Point) -> str:
    if abs(start[0] - end[0]) < 1:
        return f"L{_at(*end)}"
    middle = (start[1] + end[1]) / 2
    return f"C{_at(start[0], middle)} {_at(end[0], middle)} {_at(*end)}"


def _at(x: float, y: float) -> str:
    return f"{x:.1f} {y:.1f}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(draw(specs.load(COMPILED / PIPELINE)))
