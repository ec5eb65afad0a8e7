"""An error is one line that says what to do, and an exit code."""

import errno
import os

import pytest

from components.dataset.errors import DataError
from pipeline.cli.commands import LAST_LINES, show
from pipeline.errors import CommandError, GateRefused, Interrupted, StepFailed, UsageError
from tests.pipeline.cli.conftest import Call


@pytest.mark.parametrize(
    ("error", "exit_code", "said"),
    [
        (CommandError("[red]why"), 1, "[red]why"),
        (DataError("why"), 1, "why"),
        (UsageError("why"), 2, "why"),
        (GateRefused("why"), 3, "why"),
        (Interrupted("why"), 130, "why"),
        (
            PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/a.html"),
            1,
            "/a.html: permission denied; correct that or choose another path",
        ),
        (
            FileNotFoundError(errno.ENOENT, "no such", "/missing/a.html"),
            1,
            "/missing/a.html: there is no folder /missing; create it or choose another",
        ),
        (
            OSError(errno.EDQUOT, "quota", "/a.html"),
            1,
            "the disk is full at /a.html; free some space and try again",
        ),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), 1, "[Errno 111] refused"),
    ],
)
def test_an_error_is_its_text_and_its_exit_code(
    error: CommandError, exit_code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show(error) == exit_code
    assert capsys.readouterr().err == f"error: {said}\n"


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
