import errno
from pathlib import Path

import pytest

from components.dataset.disk import scratch_directory
from components.dataset.errors import DiskError


def test_scratch_is_removed_after_a_failure() -> None:
    with pytest.raises(KeyError), scratch_directory("step") as scratch:
        (scratch / "file").write_bytes(b"x")
        raise KeyError
    assert not scratch.exists()


def test_a_full_disk_is_named_with_every_place_it_may_be() -> None:
    with (
        pytest.raises(DiskError, match=r"the disk is full at .* or /out .*TMPDIR"),
        scratch_directory("step", Path("/out")),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_other_errors_of_the_system_pass_unchanged() -> None:
    with pytest.raises(PermissionError), scratch_directory("step"):
        raise PermissionError(errno.EACCES, "no")
