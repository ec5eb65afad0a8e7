"""The recording of a terminal, and the picture that plays it."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipeline.compiler import PROJECT
from scripts import picture_of_terminal as picture
from scripts.recording import Frame, Span, record

PROGRAM = """
import sys, time
print("\\x1b[1;32mfirst\\x1b[0m and \\x1b[2mdim\\x1b[0m", flush=True)
time.sleep(0.3)
print("\\x1b[1A\\x1b[2Ksecond <&>", flush=True)
sys.exit(int(sys.argv[1]))
"""


def recorded(tmp_path: Path, code: int = 0) -> list[Frame]:
    command = [sys.executable, "-c", PROGRAM, str(code)]
    return record(command, 40, 5, tmp_path, os.environ)


def test_each_state_of_the_screen_is_kept_with_its_styles(tmp_path: Path) -> None:
    frames = recorded(tmp_path)
    assert frames[0].rows == ()
    first = (
        Span(0, "first", "green", True),
        Span(6, "and", "default", False),
        Span(10, "dim", "brightblack", False),
    )
    assert (first,) in [frame.rows for frame in frames]
    assert frames[-1].rows == ((Span(0, "second <&>", "default", False),),)
    assert frames[-1].seconds >= 0.3


def test_a_command_that_fails_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as error:
        recorded(tmp_path, code=3)
    assert "second" in error.value.output


def frames() -> list[Frame]:
    row = (Span(0, "a & b", "green", True),)
    return [Frame(0.0, ()), Frame(5.0, (row,)), Frame(10.0, ((Span(2, "end", "red", False),),))]


def test_what_is_shown_when_follows_the_recording() -> None:
    played = picture.sampled(frames())
    rows = [frame.rows for frame in played]
    half = len(rows) // 2
    assert rows[0] == ()
    assert rows[half - 2] == ()
    assert rows[half + 2] == frames()[1].rows
    assert rows[-1] == frames()[2].rows
    shown = list(picture.shown(played, 0))
    assert [row for _, _, row in shown] == [frames()[1].rows[0], frames()[2].rows[0]]
    assert shown[0][1] == shown[1][0]


def test_without_animation_the_picture_is_the_last_frame() -> None:
    svg = picture.picture(frames(), "title & more")
    ElementTree.fromstring(svg)
    hidden = set(re.findall(r"\.(f\d+)\{visibility:hidden\}", svg.partition("@media")[0]))
    visible = [
        text
        for name, text in re.findall(r'<g class="(f\d+)">.*?>([^<]+)</text></g>', svg)
        if name not in hidden
    ]
    assert visible == ["end"]


def test_the_committed_picture_shows_a_whole_run_and_needs_nothing_from_elsewhere() -> None:
    path = PROJECT / "docs" / "pictures" / "terminal.svg"
    text = path.read_text()
    assert path.stat().st_size < 300_000
    ElementTree.fromstring(text)
    assert "<script" not in text
    assert not re.search(r"(?:href|src|url\(|@import|@font-face)", text)
    last = " ".join(re.findall(r">([^<]+)</text>", text))
    for said in ("fashion-mnist run", "Accuracy", "Verdict", "Model", "Report"):
        assert said in last
