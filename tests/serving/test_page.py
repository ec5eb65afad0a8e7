"""The page on which people ask the model, in a browser, with the server behind it."""

import base64
import http.client
import io
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from serving import page as served
from serving.page import AboutError, wanted
from tests import browser as browsers
from tests.idx_files import FASHION
from tests.photographs import encoded
from tests.saved_models import make_classifier
from tests.saved_models import picture_of as picture

from .conftest import with_page
from .opened_page import answer, as_base64, bars, choose, drop, paste

BOOT, SHIRT = FASHION.classes.index("Ankle boot"), FASHION.classes.index("Shirt")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page")
    FASHION.write(model := make_classifier(folder / "model", FASHION.classes))
    samples = [
        {"label": FASHION.classes[label], "png": as_base64(picture(seen)), "hard": hard}
        for label, seen, hard in ((BOOT, BOOT, False), (SHIRT, BOOT, True))
    ]
    about = {"title": "fashion-mnist version 3", "accuracy": 0.9374, "samples": samples}
    with with_page(folder, model, about, AIP_PREDICT_ROUTE="/v1/models/boots:predict") as url:
        yield url


@pytest.mark.parametrize("give", [choose, drop, paste])
def test_a_picture_is_answered_however_it_is_given(
    give: Callable[[Any, bytes], None], opened: Callable[..., Any]
) -> None:
    page = opened()
    give(page, picture(BOOT))
    card = answer(page)
    assert card.locator(".verdict").inner_text() == "Ankle boot"
    assert next(iter(bars(card).items())) == ("Ankle boot", "99.3 %")
    seen = card.locator("canvas").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data]"
    )
    grey = np.reshape(seen, (28, 28, 4))[..., 0]
    assert np.flatnonzero(grey.any(axis=1)).tolist() == [BOOT]
    assert "Ankle boot, 99.3 %" in page.locator("#spoken").inner_text()


def test_the_camera_takes_a_picture(opened: Callable[..., Any]) -> None:
    page = opened()
    page.get_by_role("button", name="Camera").click()
    page.locator("#video").evaluate(
        "async video => { while (!video.videoWidth) await new Promise(requestAnimationFrame); }"
    )
    page.get_by_role("button", name="Take the picture").click()
    assert answer(page).locator("h3").inner_text() == "Camera picture"
    assert page.evaluate("document.getElementById('video').srcObject.active") is False


def test_several_pictures_are_answered_in_their_order(opened: Callable[..., Any]) -> None:
    page = opened()
    choose(page, picture(BOOT), picture(SHIRT))
    titles = [answer(page, number).locator(".verdict").inner_text() for number in range(2)]
    assert titles == ["Ankle boot", "Shirt"]
    page.get_by_role("button", name="Clear").click()
    assert page.locator("article").count() == 0


@pytest.mark.parametrize(
    ("content", "verdict", "text"),
    [
        (picture(BOOT, SHIRT), "Not sure", r"Most likely Shirt, 49\.\d %. The model expects one"),
        (picture(), "Nothing found", "No subject stands out"),
        (b"no picture", "This picture got no answer", "image"),
    ],
    ids=["not sure", "nothing found", "error"],
)
def test_an_answer_without_a_class_says_why(
    content: bytes, verdict: str, text: str, opened: Callable[..., Any]
) -> None:
    page = opened()
    choose(page, content)
    card = answer(page)
    assert card.locator(".verdict").inner_text() == verdict
    assert re.search(text, card.inner_text())
    assert verdict in page.locator("#spoken").inner_text()
    assert "instance 0" not in card.inner_text()


def test_pictures_of_the_test_set_are_asked_by_keyboard_alone(opened: Callable[..., Any]) -> None:
    page = opened()
    assert "fashion-mnist version 3 · right on 93.7 % of the test set" in page.inner_text("header")
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        focus = page.evaluate_handle("document.activeElement")
        reached.append(focus.get_attribute("aria-label") or focus.inner_text())
        assert focus.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
        if reached[-1] == "Shirt, picture 2":
            page.keyboard.press("Enter")
    samples = ["Ankle boot, picture 1", "Shirt, picture 2"]
    assert reached == ["Choose pictures", "Camera", *samples, "Copy"]
    assert "✗ The test set says Shirt." in answer(page).inner_text()


def test_a_large_photo_is_sent_small_and_upright(opened: Callable[..., Any]) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1500, 2000, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = encoded(Image.fromarray(noise), "JPEG", quality=97, exif=exif)
    page = opened()
    with page.expect_request(lambda request: request.method == "POST") as asked:
        choose(page, photo, name="photo.jpg")
    answer(page)
    body = asked.value.post_data_json
    sent = base64.b64decode(body["instances"][0]["image_bytes"]["b64"])
    assert len(sent) < len(photo) / 2
    with Image.open(io.BytesIO(sent)) as image:
        assert image.size == (768, 1024)


def test_the_copied_line_asks_the_same_with_curl(
    opened: Callable[..., Any], tmp_path: Path
) -> None:
    page = opened()
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    line = page.evaluate("navigator.clipboard.readText()")
    (tmp_path / "photo.jpg").write_bytes(picture(SHIRT))
    done = subprocess.run(line, check=True, shell=True, cwd=tmp_path, capture_output=True)
    (found,) = json.loads(done.stdout)["predictions"]
    choose(page, picture(SHIRT))
    top, share = next(iter(bars(answer(page)).items()))
    assert (found["label"], f"{100 * max(found['probabilities']):.1f} %") == (top, share)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 600, 320])
def test_nothing_is_cut_off_or_faint(width: int, scheme: str, opened: Callable[..., Any]) -> None:
    page = opened(viewport={"width": width, "height": 700}, color_scheme=scheme)
    pictures = [picture(BOOT), picture(BOOT, SHIRT), picture(), b"no picture"]
    choose(page, *pictures, name="a_long_name_of_a_file_without_any_space.png" * 2)
    answer(page, len(pictures) - 1)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    page.evaluate("document.getElementById('spoken').remove()")
    assert page.evaluate(browsers.OVERFLOW) == []
    assert page.evaluate(browsers.CONTRAST, 4.5) == []


def test_a_screen_reader_finds_names_and_headings(opened: Callable[..., Any]) -> None:
    page = opened()
    choose(page, picture(BOOT))
    answer(page)
    assert page.evaluate("document.documentElement.lang") == "en"
    unnamed = """() => [...document.querySelectorAll("button, img, canvas, video, ul, section")]
        .filter(e => e.getClientRects().length && !e.innerText && !e.hasAttribute("alt")
            && !e.hasAttribute("aria-label") && !e.hasAttribute("aria-labelledby"))
        .map(e => e.outerHTML)"""
    assert page.evaluate(unnamed) == []
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3')].map(e => e.tagName)")
    assert levels[:4] == ["H1", "H2", "H2", "H3"]
    assert page.locator("[role=status]").count() == 1


def test_the_server_allows_the_page_nothing_from_elsewhere(address: str) -> None:
    port = int(address.rstrip("/").rsplit(":", 1)[1])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/")
    policy = connection.getresponse().headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "unsafe" not in policy


def test_there_is_no_page_unless_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wanted({}) is None
    assert wanted({"SERVING_PAGE": "1"}) == {"title": "The model", "accuracy": None, "samples": []}
    (tmp_path / "about.json").write_text("[1]")
    with pytest.raises(AboutError, match=r"SERVING_ABOUT is .*about\.json"):
        wanted({"SERVING_PAGE": "1", "SERVING_ABOUT": str(tmp_path / "about.json")})
    monkeypatch.setattr(served, "FOLDER", tmp_path / "server.zip" / "serving" / "page")
    with pytest.raises(AboutError, match="a server that installs itself has no page"):
        wanted({"SERVING_PAGE": "1"})
