"""How commands print."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cli.commands import show
from pipeline.cli.console import next_steps, print_json, print_table, say, waiting
from pipeline.errors import StepFailed


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "60"}.items():
        monkeypatch.setenv(name, value)


HOSTILE = "[red]:100:[/] \x1b[31m\x9b2J\u202e\udcf6"
SHOWN = r"[red]:100:[/] \x1b[31m\x9b2J\u202e\xf6"


@pytest.mark.parametrize(
    "show",
    [
        say,
        lambda text: print_table((text, "Name"), [(text, text)]),
        lambda text: print_table((text, "Name"), [(text, text)], wraps=True),
        lambda text: next_steps({text: text}),
        lambda text: show(StepFailed("train", text, (text,))),
    ],
)
@pytest.mark.parametrize("terminal", ["", "1"])
def test_whatever_is_printed_a_terminal_obeys_none_of_it(
    show: Callable[[str], object],
    terminal: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in {"FORCE_COLOR": terminal, "TERM": "xterm", "COLUMNS": "200"}.items():
        monkeypatch.setenv(name, value)
    show(HOSTILE)
    text = "".join(capsys.readouterr())
    assert SHOWN in text
    assert not set("\x9b\u202e\udcf6") & set(text)
    assert "\x1b[31m" not in text


def test_json_gives_back_any_text_in_any_encoding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    print_json([HOSTILE, "höse"])
    printed = capsys.readouterr().out
    assert "höse" in printed
    for encoding in ("utf-8", "ascii", "iso-8859-1"):
        output = io.TextIOWrapper(io.BytesIO(), encoding)
        monkeypatch.setattr(sys, "stdout", output)
        print_json([HOSTILE, "höse", Path("höse")])
        assert json.loads(output.buffer.getvalue().decode(encoding)) == [HOSTILE, "höse", "höse"]


@pytest.mark.usefixtures("terminal")
def test_waiting_is_shown_on_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with waiting("the bus"):
        pass
    assert "the bus" in capfd.readouterr().err
