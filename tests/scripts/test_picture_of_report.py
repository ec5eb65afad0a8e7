"""The picture of a report, taken of a page as runs leave it."""

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image

from pipeline.results import report
from scripts.picture_of_report import BROWSERS, WIDTH, screenshot
from tests import evaluations

RUN = "fashion-mnist-20261124-234143-7fde"


def test_the_picture_ends_with_the_figures_of_the_classes(tmp_path: Path) -> None:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is on this machine")
    run = evaluations.write_run(tmp_path, RUN, evaluations.evaluation(per_class=10))
    picture = Image.open(io.BytesIO(screenshot(browser, report.rebuild(run))))
    assert picture.width == WIDTH
    assert 900 < picture.height < 3000
    colours = picture.convert("RGB").getcolors(1 << 20)
    assert colours is not None
    assert len(colours) > 50
