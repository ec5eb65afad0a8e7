"""How commands print."""

import json
from pathlib import Path

import pytest

from pipeline.cli.console import next_steps, print_json, print_table, say, waiting


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "60"}.items():
        monkeypatch.setenv(name, value)


def test_a_table_is_whole_in_a_narrow_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    print_table(("Name", "What"), [("a" * 40, "[red]b" * 20)])
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["Name", "What"]
    assert row.split() == ["a" * 40, "[red]b" * 20]


@pytest.mark.usefixtures("terminal")
def test_a_table_fits_a_narrow_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("Name", "What"), [("a" * 20, "word " * 30), ("b", "")])
    _header, first, *rest, last = capsys.readouterr().out.splitlines()
    assert first.startswith("a" * 20 + " word word")
    assert len(rest) == 3
    assert last.strip() == "b"
    assert max(map(len, (first, *rest))) <= 60


def test_json_is_one_document_of_anything(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([{"path": Path("a/b"), "text": "Größe [bold]"}])
    assert json.loads(capsys.readouterr().out) == [{"path": "a/b", "text": "Größe [bold]"}]


def test_lines_are_printed_unchanged_and_next_steps_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = "[bold]" + "long " * 50 + "`x` 12"
    say(text)
    next_steps({"a": "does", "bcd": "does more"})
    written = capsys.readouterr()
    assert written.out == f"{text}\n"
    assert written.err.splitlines() == ["", "Next       a    does", "           bcd  does more"]


def test_waiting_is_not_shown_in_a_log(capfd: pytest.CaptureFixture[str]) -> None:
    with waiting("the bus"):
        pass
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("terminal")
def test_waiting_is_shown_on_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with waiting("the bus"):
        pass
    assert "the bus" in capfd.readouterr().err
