from pathlib import Path

from scripts.pictures import LAST, WIDTH, screenshot
from tests.browser import installed

PAGE = f"<section>head</section><section aria-labelledby={LAST} style='height: 950px'></section>"


def test_the_picture_ends_with_its_last_section(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(f"{PAGE}<section style='height: 9000px'></section>")
    png = screenshot(installed(), tmp_path / "page.html")
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    assert width == WIDTH
    assert 950 < height < 1100
