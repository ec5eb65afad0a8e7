"""The report, as the step makes it and with what a run adds."""

import base64
import copy
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from components.dataset.description import Description
from components.evaluate.report import render, scale
from pipeline.runs.report import additions
from tests import browser as browsers
from tests import evaluations

Facts = dict[str, Any]
BOXES = Description("boxes", tuple("abcd"), 12, 20)
COLOUR = Description("signs", ("stop", "go", "turn"), 32, 32, 3)
PHOTOS = Description("photos", ("oak", "elm", "ash"), 200, 120, 3)
LETTERS = Description("letters", tuple(f"letter {number}" for number in range(47)), 28, 28)
ANIMALS = Description(
    "animals", tuple(f"red-tailed parrot {number}" for number in range(200)), 28, 28
)
NAMES = Description(
    "names", tuple(f"{'long' * 15} {number} {'of ' * 9}" for number in range(12)), 8, 8
)


@pytest.fixture(scope="module")
def facts() -> Facts:
    return evaluations.beaten(evaluations.evaluation())


@pytest.fixture(scope="module")
def page(facts: Facts) -> str:
    return render(facts)


@pytest.fixture(scope="module")
def run(facts: Facts, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run adds that failed with a long line."""
    error = f"could not write /a/{'long/' * 30}path"
    ended = evaluations.run(tmp_path_factory.mktemp("root"), "run-1", error=error, state="failed")
    return additions(ended, facts)


@pytest.fixture(scope="module")
def of_run(facts: Facts, run: dict[str, Any]) -> str:
    return render(facts, run=run)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browsers.chromium() as browser:
        yield browser


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.tags if name == tag)


def section(page: str, name: str) -> str:
    (found,) = re.findall(rf'<section aria-labelledby="{name}">.*?</section>', page, re.DOTALL)
    return str(found)


def plain(text: str) -> str:
    """The text without tags, its white space as single spaces."""
    return " ".join(re.sub("<[^>]+>", " ", text).split())


def test_equal_input_gives_equal_bytes_and_a_page_under_1_mb(facts: Facts, page: str) -> None:
    assert render(facts) == page
    assert page.startswith("<!doctype html>")
    assert len(page.encode()) < 1_000_000


def test_the_page_says_verdict_accuracy_and_comparison(page: str) -> None:
    assert "<strong>Passed:</strong>" in page
    assert "+1.10 points by this model" in page
    against = plain(section(page, "champion"))
    assert "gets 31 right that version 12 got wrong, and 20 wrong that it got right" in against
    assert "16.0 % of test sets" in against
    assert "may be luck" in against


def test_every_rule_of_the_gate_is_listed(facts: Facts) -> None:
    other = copy.deepcopy(facts)
    rule = {"name": "min_recall", "threshold": 0.7, "value": 0.6543, "passed": False}
    other["verdict"]["rules"].append(rule)
    gate = plain(section(render(other), "gate"))
    assert "min_accuracy 0.5 0.9210 yes" in gate
    assert "min_improvement 0 — yes" in gate
    assert "min_recall 0.7 0.6543 no" in gate


def test_the_contents_name_every_section(of_run: str) -> None:
    (contents,) = re.findall(r"<nav.*?</nav>", of_run, re.DOTALL)
    ids = re.findall(r'<h2 id="([^"]+)"', of_run)
    assert re.findall(r'href="#([^"]+)"', contents) == ids
    assert len(ids) == len(set(ids)) == 13


def test_the_curves_have_a_point_for_each_epoch_and_a_table(page: str) -> None:
    curves = section(page, "curves")
    assert [len(points.split()) for points in re.findall(r'points="([^"]+)"', curves)] == [7] * 4
    (table,) = re.findall(r"<details>.*?</details>", curves, re.DOTALL)
    assert [row.count("<td") for row in table.split("<tr>")[2:]] == [6] * 7


def test_the_calibration_is_shown_before_and_after(facts: Facts, page: str) -> None:
    shown = plain(section(page, "calibration"))
    before = facts["before_calibration"]
    assert f"before calibration {100 * before['calibration_error']:.1f} %" in shown.replace(
        "\u202f", " "
    )
    assert "divides its logits by 0.500" in shown
    uncalibrated = plain(section(render(facts | {"before_calibration": None}), "calibration"))
    assert "No temperature was fitted" in uncalibrated
    older = {name: value for name, value in facts.items() if name != "before_calibration"}
    assert "No temperature was fitted" in render(older)


def test_a_bin_with_few_examples_is_hollow_and_each_has_its_interval(facts: Facts) -> None:
    bins = [entry for entry in facts["calibration"] if entry["examples"]]
    few = sum(entry["examples"] < 50 for entry in bins)
    assert 0 < few < len(bins)
    drawn = section(render(facts), "calibration")
    assert drawn.count('<rect class="few"') == few
    assert drawn.count('<rect class="first"') == len(bins) - few
    assert drawn.count('class="interval"') == len(bins)


def test_a_bar_is_as_long_as_the_share_that_was_missed(facts: Facts, page: str) -> None:
    missed = [f"{100 * (1 - entry['recall']):.1f}" for entry in facts["per_class"]]
    assert 0 < float(max(missed, key=float)) < 50
    assert re.findall(r"--share:([\d.]+)%", section(page, "classes")) == missed


def test_every_picture_has_a_text_and_every_header_a_scope(page: str) -> None:
    parsed = Page(page)
    assert all(image["alt"] for image in parsed.all("img"))
    assert all(header["scope"] in {"row", "col"} for header in parsed.all("th"))
    assert all(figure["aria-label"] for figure in parsed.all("figure") if "role" in figure)


def test_a_mistake_is_shown_as_its_very_pixels(facts: Facts, page: str) -> None:
    images = list(Page(section(page, "mistakes")).all("img"))
    assert len(images) == len(facts["mistakes"]) == 24
    for image, mistake in zip(images, facts["mistakes"], strict=True):
        png = base64.b64decode(str(image["src"]).partition(",")[2])
        pixels = np.asarray(Image.open(io.BytesIO(png)))
        kept = base64.b64decode(facts["images"][str(mistake["index"])])
        assert (pixels.shape, pixels.tobytes()) == ((28, 28), kept)
        assert str(image["alt"]).startswith(f"Test example {mistake['index']}: labelled ")


def test_confused_classes_stand_side_by_side_with_recognised_ones(facts: Facts, page: str) -> None:
    first = section(page, "confused").split("<h3>")[1]
    left, right = facts["confused"][0]["sides"]
    expected = [*left["recognised"], *left["mistaken"], *right["recognised"], *right["mistaken"]]
    numbers = re.findall(r"Test example (\d+)", first)
    assert numbers == [str(example["index"]) for example in expected]


def test_a_run_adds_its_model_and_its_steps(
    facts: Facts, page: str, of_run: str, run: dict[str, Any]
) -> None:
    assert "<pre>" not in page
    assert "of fashion-mnist, no longer there" in plain(of_run)
    shares = re.findall(r"--share:([\d.]+)", section(of_run, "run"))
    assert (min(shares, key=float), max(shares, key=float)) == ("0.0", "100.0")
    model = {**run["model"], "present": True, "aliases": ["a", "default"], "place": "/models/13"}
    text = plain(render(facts, run={**run, "model": model}))
    assert "Registry version 13 of fashion-mnist, the champion now" in text
    assert "version 13 of fashion-mnist in the local registry, with the aliases a , default" in text
    assert "cp -r /models/13 model" in text
    text = plain(render(facts, run={**run, "model": {**model, "version": "", "present": False}}))
    assert "Registry none not uploaded" in text
    assert "It was not uploaded; the only copy is in the run's folder." in text


def test_text_from_outside_is_escaped(facts: Facts, run: dict[str, Any]) -> None:
    attack = "<script>alert('x')</script>"
    other = copy.deepcopy(facts)
    other["champion"]["version"] = attack
    other["training"]["parameters"][attack] = attack
    other["dataset"]["digests"][attack] = attack
    other["dataset"]["name"] = attack
    other["class_names"][0] = other["per_class"][0]["class"] = attack
    other["verdict"]["reason"] = attack
    bad = {"error": attack, "command": attack, "parameters": {attack: {attack: attack}}}
    assert "<script" not in render(other, run={**run, **bad})


def test_a_model_without_mistakes_champion_or_curve_has_a_page_too(facts: Facts) -> None:
    perfect = {**facts, "champion": None, "mistakes": [], "confused": [], "epochs": []}
    perfect |= {"training": {"parameters": {}}}
    perfect["per_class"] = [{**entry, "recall": 1.0} for entry in facts["per_class"]]
    text = plain(render(json.loads(json.dumps(perfect))))
    assert "every test example is classified correctly" in text
    assert "No class is taken for another one" in text
    assert "nothing to compare with" in text
    assert "recorded no epochs" in text


def test_epochs_without_validation_are_drawn(facts: Facts) -> None:
    missing = {"validation_loss": None, "validation_accuracy": None}
    curves = section(
        render({**facts, "epochs": [{**epoch, **missing} for epoch in facts["epochs"]]}), "curves"
    )
    assert 'epochs; the last:\n training 0.1429">' in curves
    assert ">validation<" not in curves
    assert "<td>—</td>" in curves


@pytest.mark.parametrize("count", [1, 2, 60])
def test_the_axis_of_a_learning_curve_has_few_whole_epochs(count: int) -> None:
    across = scale(range(1, count + 1), 40, 352, whole=True)
    assert all(tick == round(tick) and 0 <= tick <= count for tick in across.ticks)
    assert min(count, 4) <= len(across.ticks) <= 8


@pytest.mark.parametrize("values", [[0.5], [0.0, 1e-6], [2.31, 0.0042], [-3.0, 12_000.0]])
def test_a_scale_labels_round_values_in_reach(values: list[float]) -> None:
    up = scale(values, 196, 26)
    assert 2 <= len(up.ticks) <= 8
    assert all(len(f"{tick:g}") <= 6 and 26 <= up(tick) <= 196 for tick in up.ticks)
    assert all(26 <= up(value) <= 196 for value in values)


def test_examples_by_class_name_what_is_small_or_missing() -> None:
    four = evaluations.evaluation(about=BOXES, per_class=[40, 30, 0, 20], train=[1200, 100, 50, 0])
    sizes = plain(section(render(four), "sizes"))
    assert "24 times as many training examples as the smallest: 1,200 of a, 50 of c." in sizes
    assert "No training examples: d." in sizes
    assert "No test examples: c." in sizes
    assert "b 100 50 30" in sizes
    assert "c — — — 0 —" in plain(section(render(four), "classes"))
    even = plain(section(render(evaluations.evaluation()), "sizes"))
    assert even.endswith("Every class has 550 training, 50 validation, 100 test examples.")


def test_the_title_names_the_data_and_an_earlier_evaluation_has_a_page_too(facts: Facts) -> None:
    assert "<title>FashionMNIST: accuracy 0.9210, passed</title>" in render(facts)
    assert "<title>boxes: accuracy" in render(evaluations.evaluation(about=BOXES))
    older = {name: value for name, value in facts.items() if name != "dataset"}
    shown = render({**older, "data": {"digests": {}, "verified": True, "test_records": "7e57"}})
    assert "<td>7e57</td>" in shown
    assert 'id="sizes"' not in shown


@pytest.mark.parametrize("about", [BOXES, COLOUR, PHOTOS])
def test_pictures_keep_their_proportions_and_colours(about: Description) -> None:
    facts = evaluations.evaluation(about=about)
    page = render(facts)
    images = list(Page(section(page, "mistakes")).all("img"))
    assert images
    for image, mistake in zip(images, facts["mistakes"], strict=True):
        picture = Image.open(io.BytesIO(base64.b64decode(str(image["src"]).partition(",")[2])))
        assert picture.mode == ("RGB" if about.channels == 3 else "L")
        assert picture.width / picture.height == pytest.approx(about.width / about.height, 0.02)
        if about is not PHOTOS:
            kept = base64.b64decode(facts["images"][str(mistake["index"])])
            assert np.asarray(picture).tobytes() == kept
    assert len(page) < 1_500_000


@pytest.mark.parametrize("about", [LETTERS, ANIMALS])
def test_many_classes_have_a_heat_map_and_the_worst_ones_come_first(about: Description) -> None:
    facts = evaluations.evaluation(about=about, per_class=[0, 1, *[20] * (len(about.classes) - 2)])
    page = render(evaluations.beaten(facts))
    assert len(page.encode()) < 2_000_000
    by_class = section(page, "classes")
    rows = re.findall(r'<th scope="row">(.*?)</th>', by_class)
    recalls = {entry["class"]: entry["recall"] for entry in facts["per_class"]}
    assert rows[0] == min(facts["per_class"][1:], key=lambda entry: entry["recall"])["class"]
    assert [recalls[name] for name in rows[:-1]] == sorted(recalls[name] for name in rows[:-1])
    assert (rows[-1], recalls[rows[-1]]) == (about.classes[0], None)
    assert by_class.index("<details>") < by_class.index(rows[20])
    matrix = section(page, "matrix")
    (heat,) = Page(matrix).all("img")
    cells = Image.open(io.BytesIO(base64.b64decode(str(heat["src"]).partition(",")[2])))
    opacity = np.asarray(cells)[..., 3]
    assert ((opacity > 0) == (np.array(facts["confusion_matrix"]) > 0)).all()
    off_diagonal = np.array(facts["confusion_matrix"]) * (1 - np.eye(len(about.classes), dtype=int))
    (first,) = re.findall(r"<td>(\d+)</td>", matrix)[:1]
    assert int(first) == off_diagonal.max()


@pytest.mark.parametrize(
    ("about", "size", "scheme"),
    [
        (LETTERS, (1280, 900), "light"),
        (ANIMALS, (1280, 900), "dark"),
        (ANIMALS, (400, 740), "light"),
        (NAMES, (1280, 900), "light"),
        (NAMES, (400, 740), "dark"),
        (BOXES, (360, 740), "light"),
    ],
)
def test_only_the_confusion_matrix_scrolls(
    about: Description, size: tuple[int, int], scheme: str, tmp_path: Path, chromium: Any
) -> None:
    path = tmp_path / "page.html"
    path.write_text(render(evaluations.beaten(evaluations.evaluation(about=about, per_class=20))))
    found = browsers.look(chromium, path, width=size[0], height=size[1], scheme=scheme)
    assert found == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), (360, 740)])
def test_the_page_is_sound_at_every_size_and_in_both_schemes(
    of_run: str, tmp_path: Path, chromium: Any, size: tuple[int, int], scheme: str
) -> None:
    path = tmp_path / "page.html"
    path.write_text(of_run)
    found = browsers.look(chromium, path, width=size[0], height=size[1], scheme=scheme)
    assert found == {}
