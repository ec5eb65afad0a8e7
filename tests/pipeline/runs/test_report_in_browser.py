from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.evaluate.report import Additions, Section, render
from pipeline.runs.report import rebuild
from tests import browser as browsers
from tests import evaluations

DESKTOP, PHONE = (1280, 900), (390, 844)
LOOKS = [(size, scheme) for size in (DESKTOP, PHONE) for scheme in ("light", "dark")]
NOTHING = browsers.Findings()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browsers.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def of_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fullest page: a champion, an upload, an error of a long line, everything of the run."""
    facts = evaluations.beaten(evaluations.evaluation())
    run = evaluations.write_run(
        tmp_path_factory.mktemp("root"),
        "fashion-mnist-20261124-234143-7fde",
        facts,
        state="failed",
        error=f"Upload failed: could not write /a/{'long/' * 30}path",
    )
    return rebuild(run)


@pytest.fixture(scope="module")
def of_step(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as the step makes it by itself."""
    path = tmp_path_factory.mktemp("step") / "report.html"
    path.write_text(render(evaluations.evaluation(per_class=1000)))
    return path


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
@pytest.mark.parametrize("page", ["of_run", "of_step"])
def test_the_page_is_sound_at_every_size_and_in_both_schemes(
    chromium: Any, page: str, size: tuple[int, int], scheme: str, request: pytest.FixtureRequest
) -> None:
    width, height = size
    path = request.getfixturevalue(page)
    assert browsers.look(chromium, path, width=width, height=height, scheme=scheme) == NOTHING


def test_the_page_of_a_run_is_under_3_mb(of_run: Path) -> None:
    assert of_run.stat().st_size < 3_000_000


@pytest.mark.parametrize(
    ("body", "kind", "what"),
    [
        ("<p style='width:50rem'>wide</p>", "overflow", "outside of the page"),
        ("<pre style='white-space:pre'>" + "x" * 99 + "</pre>", "overflow", "content is wider"),
        ("<p style='color:#888;background:#999'>faint</p>", "contrast", "faint"),
        ("<img src='https://example.invalid/a.png' alt='a'>", "console", "Content Security"),
        ("<img src='data:image/png;base64,AA' alt=''>", "unnamed", "data:image/png"),
        ("<img src='data:image/png;base64,AA' alt='no picture'>", "broken", "no picture"),
        ("<script>let unsound</script>", "console", "Content Security"),
    ],
)
def test_what_is_not_sound_is_found(
    chromium: Any, tmp_path: Path, body: str, kind: str, what: str
) -> None:
    path = tmp_path / "page.html"
    unsound = Additions(sections=[Section("bad", "Bad", body)])
    path.write_text(render(evaluations.evaluation(per_class=10), unsound))
    found = browsers.look(chromium, path, width=390, height=844, scheme="light")
    assert any(what in text for text in getattr(found, kind)), found


def test_a_request_that_leaves_is_found(chromium: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<!doctype html><img src='http://127.0.0.1:9/a.png' alt='a'>")
    found = browsers.look(chromium, path, width=390, height=844, scheme="light")
    assert found.requests == ["http://127.0.0.1:9/a.png"]
