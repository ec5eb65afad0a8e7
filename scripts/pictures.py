"""Takes the documents' pictures of a report and of the page with Chromium: ``make pictures``.

It runs the pipeline in a folder of its own, takes the top of the report, and asks the page about
a photo that it makes from a picture of the test set.
"""

import base64
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageOps
from playwright.sync_api import FloatRect, sync_playwright

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
COMMAND: Final = (sys.executable, "-m", "pipeline")
WIDTH: Final = 1280
LAST: Final = "classes"
"""The id of the last section in the picture of a report."""
ON_PHOTO: Final = 18
"""The sample of which the photo is made: an ankle boot."""
HARD: Final = 20


def main(folder: Path) -> None:
    """Takes the pictures."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"error: install a browser: one of {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory() as root:
        command = [*COMMAND, "run", "--require-upload", "--root", root]
        if subprocess.run(command, check=False).returncode:  # noqa: S603
            raise SystemExit("error: the run failed")
        (report,) = Path(root).glob("runs/*/report.html")
        (folder / "report.png").write_bytes(screenshot(browser, report))
        with serving(root) as address:
            (folder / "serve.png").write_bytes(answer(browser, address))


def screenshot(browser: str, page: Path) -> bytes:
    """A PNG of the report, from its top to the end of the section ``LAST``."""
    with opened(browser, page.resolve().as_uri()) as view:
        box = view.locator(f"section[aria-labelledby={LAST}]").bounding_box()
        height = box["y"] + box["height"] + 16 if box else 900
        clip = FloatRect(x=0, y=0, width=WIDTH, height=height)
        png: bytes = view.screenshot(full_page=True, clip=clip)
    return png


def answer(browser: str, address: str) -> bytes:
    """A PNG of the page with two answers."""
    with opened(browser, address) as view:
        view.locator("#samples button").nth(HARD).click()
        source = view.locator("#samples img").nth(ON_PHOTO).get_attribute("src")
        photo = {"name": "boot.jpg", "mimeType": "image/jpeg", "buffer": _photo(source)}
        view.locator("#files").set_input_files(photo)
        view.locator("article:not([aria-busy])").nth(1).wait_for()
        view.mouse.move(0, 0)
        png: bytes = view.screenshot(full_page=True)
    return png


@contextmanager
def opened(browser: str, address: str) -> Iterator[Any]:
    """A page in a browser, in light colours."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        view = running.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        view.goto(address, wait_until="networkidle")
        yield view
        running.close()


@contextmanager
def serving(root: str) -> Iterator[str]:
    """The address at which a root's champion is served."""
    command = [*COMMAND, "serve", "--no-open", "--root", root]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdout  # noqa: S101 - it is a pipe
        yield server.stdout.readline().split()[-1]
        server.terminate()


def _photo(source: str | None) -> bytes:
    """A product photo: the sample in a data URI, dark blue on white."""
    png = base64.b64decode((source or "").partition(",")[2])
    with Image.open(io.BytesIO(png)) as image:
        large = ImageOps.expand(image.resize((900, 900), Image.Resampling.BICUBIC), 150)
    file = io.BytesIO()
    ImageOps.colorize(large, "white", "#1d2b53").save(file, "JPEG", quality=90)
    return file.getvalue()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
