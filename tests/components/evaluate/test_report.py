import base64
import copy
import io
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.evaluate.assessment import Assessment, assess
from components.evaluate.report import render


@pytest.fixture(scope="module")
def assessment(
    test_records: Path, history: Path, wrong_on_10: Path, wrong_on_15: Path
) -> Assessment:
    return assess(
        model=wrong_on_10,
        history=history,
        raw={"digests": {"t10k-images-idx3-ubyte": "5b41"}, "verified": True},
        champion=wrong_on_15,
        champion_facts={"version": "3", "resourceName": "models/7@3"},
        test_records=test_records,
        min_accuracy=0.9,
        min_improvement=0.0,
    )


@pytest.fixture(scope="module")
def page(assessment: Assessment) -> str:
    return render(assessment)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.tags if name == tag)


def test_the_page_loads_nothing_from_elsewhere(page: str) -> None:
    for _, attributes in Page(page).tags:
        for name in ("src", "href", "srcset", "data", "action"):
            assert re.match(r"data:|#|$", attributes.get(name) or "")
    assert not re.search(r"@import|url\((?!#)", page)
    assert "default-src 'none'" in page


def test_the_page_is_small(page: str) -> None:
    assert len(page.encode()) < 3_000_000


def test_equal_input_gives_equal_bytes(assessment: Assessment, page: str) -> None:
    assert render(assessment) == page


def test_the_page_says_verdict_accuracy_and_comparison(page: str) -> None:
    assert "<strong>Passed:</strong>" in page
    assert "90.00" in page
    assert "Champion, version 3" in page
    assert "+5.00 points" in page
    assert "<strong>5</strong> right that version 3" in page


def test_plots_take_their_colours_from_the_page(page: str) -> None:
    drawn = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert "currentColor" in drawn
    assert "var(--first)" in drawn
    assert not re.search(r"#0102", drawn)
    assert "prefers-color-scheme: dark" in page


def test_ids_are_unique_and_references_resolve(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    references = re.findall(r'(?:href="#|url\(#)([^")]+)', page)
    assert references
    assert set(references) <= set(ids)


def test_every_picture_has_a_text_and_every_header_a_scope(page: str) -> None:
    parsed = Page(page)
    assert all(image["alt"] for image in parsed.all("img"))
    assert all(header["scope"] in {"row", "col"} for header in parsed.all("th"))
    assert all(figure["aria-label"] for figure in parsed.all("figure") if "role" in figure)


def test_a_mistake_is_shown_as_its_very_pixels(assessment: Assessment, page: str) -> None:
    sources = [str(image["src"]) for image in Page(page).all("img")]
    assert len(sources) == len(assessment.facts["mistakes"])
    png = base64.b64decode(sources[0].partition(",")[2])
    shown = np.asarray(Image.open(io.BytesIO(png)))
    np.testing.assert_array_equal(shown, assessment.pictures[0])
    assert "image-rendering: pixelated" in page


def changed(assessment: Assessment, change: Callable[[Assessment], None]) -> str:
    other = copy.deepcopy(assessment)
    change(other)
    return render(other)


def test_text_from_outside_is_escaped(assessment: Assessment) -> None:
    attack = "<script>alert('x')</script>"

    def change(other: Assessment) -> None:
        other.facts["champion"]["version"] = attack
        other.facts["training"]["parameters"][attack] = attack
        other.facts["data"]["digests"][attack] = attack
        other.facts["verdict"]["reason"] = attack

    assert "<script" not in changed(assessment, change)


def test_a_model_without_mistakes_champion_or_curve_has_a_page_too(
    assessment: Assessment, make_model: Callable[..., Path], test_records: Path, history: Path
) -> None:
    perfect = assess(
        model=make_model(0),
        history=history,
        raw={},
        champion=Path("/nowhere"),
        champion_facts={},
        test_records=test_records,
        min_accuracy=0.9,
        min_improvement=0.0,
    )
    perfect.epochs.clear()
    page = render(perfect)
    assert "every test example is classified correctly" in page
    assert "nothing to compare with" in page
    assert "recorded no epochs" in page


def test_epochs_without_validation_are_drawn(assessment: Assessment) -> None:
    def change(other: Assessment) -> None:
        for epoch in other.epochs:
            epoch["validation_loss"] = epoch["validation_accuracy"] = None

    page = changed(assessment, change)
    assert "Loss over 2 epochs; the last: training 0.5000" in page
    assert ">validation<" not in page
