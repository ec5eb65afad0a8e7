"""Takes README's picture of a report with Chromium: ``make pictures``.

It runs the pipeline in a folder of its own and takes the top of the report.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import FloatRect, sync_playwright

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
WIDTH: Final = 1280
LAST: Final = "classes"
"""The id of the last section in the picture."""


def main(target: Path) -> None:
    """Takes the picture."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"error: install a browser: one of {', '.join(BROWSERS)}")
    with tempfile.TemporaryDirectory() as root:
        command = [sys.executable, "-m", "pipeline", "run", "--require-upload", "--root", root]
        if subprocess.run(command, check=False).returncode:  # noqa: S603
            raise SystemExit("error: the run failed")
        (report,) = Path(root).glob("runs/*/report.html")
        target.write_bytes(screenshot(browser, report))


def screenshot(browser: str, page: Path) -> bytes:
    """A PNG of the page, from its top to the end of the section ``LAST``."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        view = running.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        view.goto(page.resolve().as_uri())
        box = view.locator(f"section[aria-labelledby={LAST}]").bounding_box()
        height = box["y"] + box["height"] + 16 if box else 900
        clip = FloatRect(x=0, y=0, width=WIDTH, height=height)
        png: bytes = view.screenshot(full_page=True, clip=clip)
        running.close()
    return png


if __name__ == "__main__":
    main(Path(sys.argv[1]))
