"""How commands print."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli.console import next_steps, print_json, print_table, say
from pipeline.compiler import PROJECT
from pipeline.duration import age


def test_a_table_is_whole_in_a_pipe_however_narrow(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    print_table(("Name", "What"), [("a" * 40, "[red]b" * 20)])
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["Name", "What"]
    assert row.split() == ["a" * 40, "[red]b" * 20]


def test_json_is_one_document_of_anything(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([{"path": Path("a/b"), "text": "Größe [bold]"}])
    assert json.loads(capsys.readouterr().out) == [{"path": "a/b", "text": "Größe [bold]"}]


def test_lines_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    text = "[bold]" + "long " * 50 + "`x` 12"
    say(text)
    assert capsys.readouterr().out == f"{text}\n"


def test_next_steps_are_no_part_of_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    next_steps({"a": "does", "bcd": "does more"})
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.splitlines() == ["", "Next       a    does", "           bcd  does more"]


def test_what_is_waited_for_is_shown_on_a_terminal_and_nowhere_else() -> None:
    where = "from pipeline.cli.console import waiting"
    code = f"{where}\nwith waiting('the bus'):\n    print()"
    call = [sys.executable, "-c", code]
    environment = {**os.environ, "TERM": "xterm"}
    plain = subprocess.run(call, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert plain.stdout + plain.stderr == "\n"
    ours, theirs = pty.openpty()
    subprocess.run(
        call, cwd=PROJECT, env=environment, stderr=theirs, stdout=subprocess.DEVNULL, check=True
    )
    os.close(theirs)
    assert b"the bus" in os.read(ours, 4096)
    os.close(ours)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5, "5 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (47 * 3600, "47 h"),
        (50 * 3600, "2 days"),
        (-30, "0 s"),
    ],
)
def test_an_age_is_told_in_the_unit_that_fits(seconds: int, text: str) -> None:
    assert age(seconds) == text
