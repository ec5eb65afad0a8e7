"""The picture of a report, taken of a page as runs leave it."""

import io
from pathlib import Path

from PIL import Image

from pipeline.runs import report
from scripts.picture_of_report import WIDTH, screenshot
from tests import evaluations
from tests.browser import installed

RUN = "fashion-mnist-20261124-234143-7fde"


def test_the_picture_ends_with_the_figures_of_the_classes(tmp_path: Path) -> None:
    run = evaluations.write_run(tmp_path, RUN, evaluations.evaluation(per_class=10))
    picture = Image.open(io.BytesIO(screenshot(installed(), report.rebuild(run))))
    assert picture.width == WIDTH
    assert 900 < picture.height < 3000
    colours = picture.convert("RGB").getcolors(1 << 20)
    assert colours is not None
    assert len(colours) > 50
