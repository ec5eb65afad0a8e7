import errno
import os
import tempfile
import time
from pathlib import Path

import pytest

from components.dataset.disk import LOCK, scratch_directory
from components.dataset.errors import DiskError


def test_scratch_is_gone_afterwards_also_after_a_failure() -> None:
    with pytest.raises(KeyError), scratch_directory("step") as scratch:
        (scratch / "file").write_bytes(b"x")
        raise KeyError
    assert not scratch.exists()


def test_a_full_disk_is_named_with_all_places_it_may_be() -> None:
    with (
        pytest.raises(DiskError, match=r"the disk is full at .* or /out .*TMPDIR"),
        scratch_directory("step", Path("/out")),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_other_failures_of_the_system_pass_unchanged() -> None:
    with pytest.raises(PermissionError), scratch_directory("step"):
        raise PermissionError(errno.EACCES, "no")


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for scratch directories that no other test uses."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def leave(temporary: Path, age: float) -> Path:
    """What a process leaves that was killed so many seconds ago."""
    directory = temporary / "step-left"
    directory.mkdir()
    (directory / "half").write_bytes(b"x")
    lock = temporary / f"step-left{LOCK}"
    lock.touch()
    os.utime(lock, (time.time() - age,) * 2)
    return directory


def test_what_a_killed_process_has_left_is_removed_by_the_next(temporary: Path) -> None:
    leave(temporary, age=100)
    with scratch_directory("step") as scratch:
        lock = scratch.with_name(scratch.name + LOCK)
        assert sorted(temporary.iterdir()) == sorted([scratch, lock])
    assert list(temporary.iterdir()) == []


def test_what_may_still_be_used_is_left_alone(temporary: Path) -> None:
    young = leave(temporary, age=0)
    (temporary / "step-of-somebody-else").mkdir()
    with scratch_directory("step") as first:
        os.utime(first.with_name(first.name + LOCK), (0, 0))
        with scratch_directory("step"), scratch_directory("other"):
            assert first.is_dir()
        assert young.is_dir()
    assert (temporary / "step-of-somebody-else").is_dir()
