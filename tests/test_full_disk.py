"""A disk that fills up in the middle of a run, and has room again for the next.

The disk is a file system in memory, which root alone may mount.
"""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from components.dataset.errors import StepError
from pipeline.errors import CommandError
from pipeline.runs.record import Run, Task
from pipeline.runs.table import Unwatched
from tests import soak
from tests.small_project import Project, assert_tidy, outcome, states

DISK_BYTES: Final = 64 << 20
PAGE: Final = 4096
FILLED: Final = {
    "ingest": (70, ""),
    "decode": (70, ""),
    "train": (2, "epoch 1/3"),
    "find_champion": (2, ""),
    "evaluate": (12, ""),
    "upload": (12, ""),
}
"""Pages that are left for a step's code and log, and not for its outputs, and when it is filled."""


class Filler(Unwatched):
    """Fills the disk in a step; a run's watcher.

    Args:
        disk: Where it is mounted.
        step: The step.
        left: Bytes to leave.
        text: What the step has said then; empty: when it begins.
    """

    def __init__(self, disk: Path, step: str, left: int, text: str = "") -> None:
        self.file = disk / "filler"
        self.step = step
        self.left = left
        self.text = text
        self.failed: list[str] = []

    def started(self, task: Task) -> None:
        if task.name == self.step and not self.text:
            self.fill()

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        if task.name == self.step and self.text and self.text in line:
            self.fill()

    def fill(self) -> None:
        with self.file.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1 << 20))
            except OSError as error:
                assert error.errno == errno.ENOSPC
            file.truncate(max(0, file.tell() - self.left))

    def ended(self, task: Task) -> None:
        if task.state == "failed":
            self.failed.append(task.name)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(path)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root, to mount a small disk")
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def full_in(light: Project, root: Path, step: str, left: int, text: str = "") -> list[str]:
    """Runs with a disk that is full from a step on; the steps that failed by it."""
    filler = Filler(root.parent, step, left, text)
    try:
        light.run_light(root, watcher=filler)
    except (CommandError, StepError, OSError) as error:
        told = str(error)
        assert "is full; free some space" in told or "No space left on device" in told, told
        assert "run again" in told, told
        assert len(told.splitlines()) == 1
        assert not getattr(error, "lines", ())
    finally:
        filler.file.unlink(missing_ok=True)
    return filler.failed


def assert_the_next_run_is_as_undisturbed(light: Project, root: Path) -> None:
    run = light.run_light(root)
    (directory,) = light.undisturbed.glob("runs/*")
    assert outcome(root, run) == outcome(light.undisturbed, Run.read(directory))
    assert_tidy(root)
    assert shutil.disk_usage(root).used < DISK_BYTES / 2


def test_a_disk_too_small_for_a_steps_outputs_is_one_line_and_leaves_nothing_that_is_used(
    light: Project, disk: Path
) -> None:
    root = disk / "root"
    for step in ("ingest", "train", "upload"):
        pages, text = FILLED[step]
        assert full_in(light, root, step, pages * PAGE, text) == [step]
    assert_the_next_run_is_as_undisturbed(light, root)


@pytest.mark.soak
@pytest.mark.timeout(soak.SECONDS)
@pytest.mark.parametrize("left", [0, 20_000, 200_000])
def test_a_disk_that_fills_up_in_any_step_is_one_line_and_leaves_nothing_that_is_used(
    light: Project, disk: Path, left: int
) -> None:
    root = disk / "root"
    failed = [full_in(light, root, step, left) for step in FILLED]
    assert left or failed == [[step] for step in FILLED]
    assert_the_next_run_is_as_undisturbed(light, root)
    assert states(light.run_light(root))["train"] == "cached"
