import errno
import os
from pathlib import Path

import pytest

from pipeline.cli.advice import advice
from pipeline.cli.commands import show


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (errno.ENOENT, "a.html: it is not there; correct the name"),
        (errno.EACCES, "a.html: permission denied; change the rights"),
        (errno.EPERM, "a.html: permission denied; change the rights"),
        (errno.EROFS, "a.html: nothing can be written there; choose"),
        (errno.EEXIST, "a.html: it is there already and in the way; move it"),
        (errno.EISDIR, "a.html: it is a folder; name a file"),
        (errno.ENOTDIR, "a.html: what it should be in is no folder"),
        (errno.ENAMETOOLONG, "a.html: the name is too long; choose"),
        (errno.ENOSPC, "the disk is full at a.html; free some space"),
        (errno.EDQUOT, "the disk is full at a.html; free some space"),
    ],
)
def test_an_error_of_a_file_is_one_line_that_says_what_to_do(
    kind: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show(OSError(kind, os.strerror(kind), "a.html")) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"error: {said}")
    assert told.count("\n") == 1
    assert "Errno" not in told


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:
        (tmp_path / "missing" / "a.html").write_text("")
    folder = tmp_path / "missing"
    said = f"{folder}/a.html: there is no folder {folder}; make it, or choose another"
    assert advice(caught.value) == said


def test_a_full_disk_needs_no_name() -> None:
    error = OSError(errno.ENOSPC, "No space left on device")
    assert advice(error) == "the disk is full; free some space, and call it again"


@pytest.mark.parametrize(
    "error",
    [OSError("no number"), ConnectionRefusedError(111, "Connection refused"), FileNotFoundError()],
)
def test_what_says_nothing_of_a_file_is_shown_as_it_is(error: OSError) -> None:
    assert advice(error) == str(error)
