"""The drawing of the pipeline's graph."""

import re
from xml.etree import ElementTree

import pytest

from pipeline.compiler import COMPILED, DISTRIBUTED_PIPELINE, PIPELINE, PROJECT
from pipeline.specs import spec as specs
from scripts import picture_of_pipeline as picture
from scripts.layout import Box, place

SPEC = specs.load(COMPILED / PIPELINE)
SVG = "{http://www.w3.org/2000/svg}"


def test_the_committed_drawing_is_that_of_the_compiled_pipeline() -> None:
    committed = (PROJECT / "docs" / "pictures" / "pipeline.svg").read_text()
    assert committed == picture.draw(SPEC), "run `make docs`"


def test_every_step_is_drawn_once() -> None:
    drawn = re.findall(r'class="name"[^>]*>([^<]*)<', picture.draw(SPEC))
    assert sorted(drawn) == sorted(display for _, display in specs.leaf_tasks(SPEC))


def test_an_edge_leads_from_each_artifact_to_the_steps_that_take_it() -> None:
    whole = picture.graph(SPEC)
    assert ("ingest.raw", "decode") in whole.edges
    assert ("train.model", "evaluate") in whole.edges
    group = whole.inner["condition-1"]
    assert ("evaluate.evaluation", "package-model") in group.edges
    assert group.lines == ["if: good enough"]
    (inside,) = [node for node in group.inner.values() if node.lines == ["if: model exists"]]
    assert ("find-champion.parent", "model-upload") in inside.edges


def test_what_no_step_takes_stands_in_the_step_that_leaves_it() -> None:
    whole = picture.graph(SPEC)
    assert whole.inner["train"].lines == ["Train", "logs", "train_metrics"]
    assert "train.logs" not in whole.inner


@pytest.mark.parametrize("name", [PIPELINE, DISTRIBUTED_PIPELINE])
def test_no_box_lies_on_another_and_all_are_inside_the_picture(name: str) -> None:
    root = ElementTree.fromstring(picture.draw(specs.load(COMPILED / name)))
    boxes = [
        tuple(float(rect.attrib[key]) for key in ("x", "y", "width", "height"))
        for rect in root.iter(f"{SVG}rect")
        if rect.attrib["class"] in ("step", "artifact")
    ]
    assert len(boxes) > 15
    for index, (x, y, width, height) in enumerate(boxes):
        assert x >= 0
        assert x + width <= float(root.attrib["width"])
        assert y + height <= float(root.attrib["height"])
        for left, top, other_width, other_height in boxes[:index]:
            beside = x >= left + other_width or left >= x + width
            below = y >= top + other_height or top >= y + height
            assert beside or below


def test_edges_lead_downwards() -> None:
    for path in re.findall(r'class="edge"[^>]* d="([^"]*)"', picture.draw(SPEC)):
        heights = [float(y) for _, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path)]
        assert heights == sorted(heights)


def test_neighbours_stand_in_the_order_of_what_they_are_linked_with() -> None:
    boxes = {name: Box(20, 10) for name in ("a", "b", "c", "d")}
    place(boxes, [("a", "d"), ("b", "c")])
    assert (boxes["a"].x < boxes["b"].x) == (boxes["d"].x < boxes["c"].x)
    assert boxes["a"].y == boxes["b"].y < boxes["c"].y == boxes["d"].y


def test_an_edge_that_passes_a_layer_has_a_bend_there() -> None:
    boxes = {name: Box(20, 10) for name in ("a", "b", "c")}
    layout = place(boxes, [("a", "b"), ("b", "c"), ("a", "c")])
    (bend,) = layout.bends["a", "c"]
    assert bend.y == boxes["b"].y
    assert not boxes["b"].x <= bend.x <= boxes["b"].x + boxes["b"].width
