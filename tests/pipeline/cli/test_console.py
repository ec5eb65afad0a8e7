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


def test_a_table_is_whole_in_a_narrow_pipe(
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


def test_lines_are_printed_unchanged(capsys: pytest.CaptureFixture[str]) -> None:
    text = "[bold]" + "long " * 50 + "`x` 12"
    say(text)
    assert capsys.readouterr().out == f"{text}\n"


def test_next_steps_are_not_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    next_steps({"a": "does", "bcd": "does more"})
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.splitlines() == ["", "Next       a    does", "           bcd  does more"]


def on_a_terminal(code: str, stdout: int | None = None) -> str:
    """What Python code writes to a terminal, or only to its standard error."""
    ours, theirs = pty.openpty()
    subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "60"},
        check=True,
        stdout=stdout or theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = os.read(ours, 65536).decode()
    os.close(ours)
    return written


def test_a_table_fits_a_narrow_terminal() -> None:
    code = (
        "from pipeline.cli.console import print_table\n"
        "print_table(('Name', 'What'), [('a' * 20, 'word ' * 30), ('b', '')], whole='Name')"
    )
    _header, first, *rest, last = on_a_terminal(code).splitlines()
    assert first.startswith("a" * 20 + " word word")
    assert len(rest) == 3
    assert last.strip() == "b"
    assert max(map(len, (first, *rest))) <= 60


def test_waiting_is_shown_only_on_a_terminal() -> None:
    code = "from pipeline.cli.console import waiting\nwith waiting('the bus'):\n    print()"
    call = [sys.executable, "-c", code]
    plain = subprocess.run(call, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert plain.stdout + plain.stderr == "\n"
    assert "the bus" in on_a_terminal(code, stdout=subprocess.DEVNULL)
