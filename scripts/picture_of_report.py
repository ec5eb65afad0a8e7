"""Writes the README's picture of a report: the head of its page, in Chromium.

It makes a real run, in a folder of its own: ``python -m scripts.picture_of_report OUT.png``.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.sync_api import FloatRect, sync_playwright

from pipeline.errors import CommandError
from pipeline.runs.finding import newest
from pipeline.runs.record import REPORT
from pipeline.runs.root import Root

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
WIDTH: Final = 1280
LAST: Final = "classes"
"""The id of the last section that is in the picture."""
COLOURS: Final = 64
"""Of the picture's palette; the page has few, and a palette takes a third of the bytes."""


def main(target: Path) -> None:
    """Takes the picture.

    Raises:
        CommandError: There is no browser, or the run failed.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise CommandError(f"the picture needs a browser: install one of {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pipeline", "run", "--require-upload", "--root", folder]
        if subprocess.run(command, check=False).returncode:  # noqa: S603
            raise CommandError("there is nothing to be seen: the run failed")
        run = newest(Root(Path(folder)), "an evaluation", lambda one: one.evaluated)
        png = screenshot(browser, run.directory / REPORT)
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    target.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    sys.stdout.write(f"{target}\n")


def screenshot(browser: str, page: Path) -> bytes:
    """A PNG of the page, from its head to the end of the section ``LAST``."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        view = running.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        view.goto(page.resolve().as_uri())
        box = view.locator(f"section[aria-labelledby={LAST}]").bounding_box()
        end = box["y"] + box["height"] if box else 900
        clip = FloatRect(x=0, y=0, width=WIDTH, height=end + 16)
        png: bytes = view.screenshot(full_page=True, clip=clip)
        running.close()
    return png


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except CommandError as error:
        sys.exit(f"error: {error}")
