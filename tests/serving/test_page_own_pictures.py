"""The page of models that were trained on other pictures than FashionMNIST's."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from components.dataset.description import Description
from serving.labels import expected
from tests import browser as browsers
from tests.saved_models import COLOURED, GREY, make_described, picture_of

from .conftest import with_page
from .opened_page import answer, as_base64, bars, choose

PIXELS = """canvas => [canvas.width, canvas.height,
    ...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"""
MANY = Description("Birds", tuple(f"bird of species {n}" for n in range(47)), 64, 48, 3)


@pytest.fixture(scope="module", params=[COLOURED, GREY, MANY], ids=lambda about: about.name)
def about(request: pytest.FixtureRequest) -> Description:
    described: Description = request.param
    return described


@pytest.fixture(scope="module")
def address(about: Description, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    samples = [
        {"label": name, "png": as_base64(picture_of(number, shape=about.shape)), "hard": False}
        for number, name in enumerate(about.classes)
    ]
    model = make_described(folder / "model", about)
    facts = {"title": "own-pictures version 1", "accuracy": 0.91, "samples": samples}
    with with_page(folder, model, facts) as url:
        yield url


def test_its_picture_is_answered_and_shown_as_the_network_sees_it(
    about: Description, opened: Callable[..., Any]
) -> None:
    page = opened()
    assert f"The model expects {expected(about)}." in page.inner_text("main")
    choose(page, picture_of(2, shape=about.shape))
    card = answer(page)
    assert card.locator(".verdict").inner_text() == about.classes[2]
    assert next(iter(bars(card))) == about.classes[2]
    width, height, *seen = card.locator("canvas").evaluate(PIXELS)
    assert (height, width) == (about.height, about.width)
    drawn = np.reshape(seen, (height, width, 4))
    assert np.flatnonzero(drawn[..., 0].any(axis=1)).tolist() == [2]
    assert (drawn[..., 3] == 255).all()


def test_a_picture_of_the_test_set_is_asked(about: Description, opened: Callable[..., Any]) -> None:
    page = opened()
    page.get_by_role("button", name=f"{about.classes[1]}, picture 2").click()
    assert f"✓ The test set says {about.classes[1]}." in answer(page).inner_text()


@pytest.mark.parametrize("width", [1280, 320])
def test_nothing_is_cut_off_and_many_classes_are_folded(
    width: int, about: Description, opened: Callable[..., Any]
) -> None:
    page = opened(viewport={"width": width, "height": 700})
    every = range(len(about.classes))
    choose(page, picture_of(0, shape=about.shape), picture_of(*every, shape=about.shape))
    assert len(bars(answer(page, 1))) == min(10, len(every))
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    page.evaluate("document.getElementById('spoken').remove()")
    assert page.evaluate(browsers.OVERFLOW) == []


def test_pixels_are_answered_in_its_own_form(about: Description, address: str) -> None:
    def ask(shape: tuple[int, ...]) -> Any:
        pixels = np.zeros(shape, int)
        pixels[1] = 255
        body = json.dumps({"instances": [{"image": pixels.tolist()}]}).encode()
        return json.load(urllib.request.urlopen(f"{address}predict", body))

    assert ask(about.shape)["predictions"][0]["class_id"] == 1
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask((28, 28))
    form = " x ".join(map(str, about.shape))
    assert f"image must be {form} whole numbers" in json.load(refused.value)["error"]
