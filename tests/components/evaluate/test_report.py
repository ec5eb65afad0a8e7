import base64
import copy
import io
import json
import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from components.evaluate.assessment import assess
from components.evaluate.figures import learning_curve, plots
from components.evaluate.report import Additions, Section, Tile, lists, render

Facts = dict[str, Any]


@pytest.fixture(scope="module")
def facts(test_records: Path, history: Path, wrong_on_10: Path, wrong_on_15: Path) -> Facts:
    found = assess(
        model=wrong_on_10,
        history=history,
        raw={"digests": {"t10k-images-idx3-ubyte": "5b41"}, "verified": True},
        champion=wrong_on_15,
        champion_facts={"version": "3", "resourceName": "models/7@3"},
        test_records=test_records,
        min_accuracy=0.9,
        min_improvement=0.0,
    )
    stored: Facts = json.loads(json.dumps(found.facts))
    return stored


@pytest.fixture(scope="module")
def page(facts: Facts) -> str:
    return render(facts)


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


def test_equal_input_gives_equal_bytes(facts: Facts, page: str) -> None:
    assert render(facts) == page


def test_the_page_says_verdict_accuracy_and_comparison(page: str) -> None:
    assert "<strong>Passed:</strong>" in page
    assert "90.00" in page
    assert "Champion, version 3" in page
    assert "+5.00 points" in page
    assert "<strong>5</strong> right that version 3" in page
    assert "6.2\u202f% of test sets" in page
    assert "may be\nluck" in page


def test_the_contents_name_every_section(page: str) -> None:
    (contents,) = re.findall(r"<nav.*?</nav>", page, re.DOTALL)
    assert re.findall(r'href="#([^"]+)"', contents) == re.findall(r'<h2 id="([^"]+)"', page)


def test_every_epoch_stands_in_a_table_beside_the_curves(page: str) -> None:
    (table,) = re.findall(r"<details>.*?</details>", page, re.DOTALL)
    assert [row.count("<td") for row in table.split("<tr>")[2:]] == [6, 6]
    assert "0.5500" in table


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


def test_a_mistake_is_shown_as_its_very_pixels(facts: Facts, page: str) -> None:
    (shown,) = re.findall(r'<div class="mistakes">.*?</div>', page, re.DOTALL)
    images = list(Page(shown).all("img"))
    assert len(images) == len(facts["mistakes"]) == 10
    for image, mistake in zip(images, facts["mistakes"], strict=True):
        png = base64.b64decode(str(image["src"]).partition(",")[2])
        pixels = np.asarray(Image.open(io.BytesIO(png)))
        assert pixels.shape == (28, 28)
        assert (pixels[0, 0], pixels[0, 1]) == (mistake["label"], mistake["index"])
    assert "image-rendering: pixelated" in page


def test_confused_classes_stand_side_by_side_with_recognised_ones(facts: Facts, page: str) -> None:
    first = re.findall(r'<div class="sides">.*?(?=<h3>|</section>)', page, re.DOTALL)[0]
    left, right = facts["confused"][0]["sides"]
    expected = [*left["recognised"], *left["mistaken"], *right["recognised"], *right["mistaken"]]
    numbers = [re.search(r"\d+", str(image["alt"]))[0] for image in Page(first).all("img")]  # type: ignore[index]
    assert numbers == [str(example["index"]) for example in expected]
    assert "Trouser</strong> is never taken for T-shirt/top" in first


def test_additions_stand_beside_the_evaluation_and_replace_a_section_of_the_same_id(
    facts: Facts,
) -> None:
    page = render(
        facts,
        Additions(
            subtitle="Run <7>",
            tiles=[Tile("Registry", "version 2", "alias <x>")],
            sections=[
                Section("run", "The run", lists(("", [("State", "done & dusted")]))),
                Section("parameters", "Parameters", "<p>others</p>"),
            ],
        ),
    )
    assert "Run &lt;7&gt;" in page
    assert "<dd>version 2<small>alias &lt;x&gt;</small></dd>" in page
    assert "<td>done &amp; dusted</td>" in page
    assert page.count('id="parameters"') == 1
    assert "<p>others</p>" in page
    assert page.index('id="provenance"') < page.index('id="run"')


def changed(facts: Facts, change: Callable[[Facts], None]) -> str:
    other = copy.deepcopy(facts)
    change(other)
    return render(other)


def test_text_from_outside_is_escaped(facts: Facts) -> None:
    attack = "<script>alert('x')</script>"

    def change(other: Facts) -> None:
        other["champion"]["version"] = attack
        other["training"]["parameters"][attack] = attack
        other["data"]["digests"][attack] = attack
        other["verdict"]["reason"] = attack

    assert "<script" not in changed(facts, change)


@pytest.mark.parametrize("count", [1, 2, 7])
def test_the_axis_of_a_learning_curve_has_whole_epochs(count: int) -> None:
    curve = learning_curve([{"epoch": 1 + i, "loss": 0.5} for i in range(count)], "loss")
    along = curve[: curve.index(">epoch<")]
    ticks = re.findall(r"<text[^>]*>([^<]+)</text>", along)
    assert ticks == [str(1 + i) for i in range(count)]


def test_a_model_without_mistakes_champion_or_curve_has_a_page_too(
    make_model: Callable[..., Path], test_records: Path, history: Path
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
    perfect.facts["epochs"].clear()
    perfect.facts["plots"] = plots([], perfect.facts["calibration"])
    page = render(perfect.facts)
    assert "every test example is classified correctly" in page
    assert "No class is taken for another one" in page
    assert "nothing to compare with" in page
    assert "recorded no epochs" in page


def test_epochs_without_validation_are_drawn(facts: Facts) -> None:
    def change(other: Facts) -> None:
        for epoch in other["epochs"]:
            epoch["validation_loss"] = epoch["validation_accuracy"] = None
        other["plots"] = plots(other["epochs"], other["calibration"])

    page = changed(facts, change)
    assert "Loss over 2 epochs; the last: training 0.5000" in page
    assert ">validation<" not in page
