"""An error is one line that says what to do, and an exit code."""

import errno
import os
from pathlib import Path

import pytest

from components.dataset.errors import DataError
from pipeline.cli.commands import LAST_LINES, show
from pipeline.errors import CommandError, GateRefused, Interrupted, StepFailed, UsageError
from tests.pipeline.cli.conftest import Call


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (CommandError("[red]why"), 1),
        (DataError("[red]why"), 1),
        (UsageError("[red]why"), 2),
        (GateRefused("[red]why"), 3),
        (Interrupted("[red]why"), 130),
    ],
)
def test_an_error_is_its_text_and_its_exit_code(
    error: CommandError, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show(error) == exit_code
    assert capsys.readouterr().err == "error: [red]why\n"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (errno.EACCES, "/a.html: permission denied; correct that or choose another path"),
        (errno.EISDIR, "/a.html: is a directory; correct that or choose another path"),
        (errno.ENOSPC, "the disk is full at /a.html; free some space and try again"),
        (errno.EDQUOT, "the disk is full at /a.html; free some space and try again"),
    ],
)
def test_an_error_of_a_file_says_what_to_do(
    kind: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show(OSError(kind, os.strerror(kind), "/a.html")) == 1
    assert capsys.readouterr().err == f"error: {text}\n"


def test_a_missing_folder_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "missing"
    with pytest.raises(OSError) as caught:
        (folder / "a.html").write_text("")
    show(caught.value)
    expected = f"{folder}/a.html: there is no folder {folder}; create it or choose another"
    assert capsys.readouterr().err == f"error: {expected}\n"


def test_an_error_without_a_file_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"))
    assert "Connection refused" in capsys.readouterr().err


def test_a_failed_step_shows_the_end_of_its_log(capsys: pytest.CaptureFixture[str]) -> None:
    show(StepFailed("train", "train failed", tuple(f"line {number}" for number in range(40))))
    first, *lines = capsys.readouterr().err.splitlines()
    assert first == "error: train failed"
    assert lines == [f"  line {number}" for number in range(40 - LAST_LINES, 40)]


@pytest.mark.parametrize("verbose", [("--verbose", "report"), ("report", "--verbose"), ("report",)])
def test_verbose_anywhere_shows_the_traceback(verbose: tuple[str, ...], call: Call) -> None:
    done = call(*verbose)
    assert done.exit_code == 1
    assert ("Traceback" in done.stderr) == ("--verbose" in verbose)
    assert "\nerror: " in f"\n{done.stderr}"
