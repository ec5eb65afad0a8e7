"""A disk that fills up in the middle of a run, and has room again for the next.

The disk is a file system in memory, which root alone may mount.
"""

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from components.dataset.errors import StepError
from pipeline.errors import CommandError
from pipeline.local import run as local
from pipeline.runs.record import Task, Watcher
from pipeline.runs.root import Root
from pipeline.specs import parameters
from pipeline.specs import spec as specs
from tests import soak
from tests.command import newest_run, states, summary, versions
from tests.small_project import PARAMETERS, SmallProject, assert_tidy, outcome

DISK_BYTES: Final = 64 << 20
PAGE: Final = 4096
FILLED: Final = {
    "ingest": (70, ""),
    "decode": (70, ""),
    "train": (2, "training on"),
    "find_champion": (2, ""),
    "evaluate": (2, "Challenger: accuracy"),
    "upload": (12, ""),
}
"""Pages that are left for a step's code and log, and not for its outputs, and when it is filled.

The training comes before the look-up, of which kfp runs either first: it must not be done yet.
"""


class Filler:
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

    @contextmanager
    def watching(self, _tasks: list[Task]) -> Iterator[Watcher]:
        yield self


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


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    return SmallProject(tmp_path_factory.mktemp("project"))


def run(project: SmallProject, root: Path, filler: Filler) -> None:
    spec = specs.load(local.DEFAULT_SPEC)
    source = f"source={project.path / 'source'}"
    given = [*PARAMETERS, f"digests={json.dumps(project.digests)}", source]
    values = {"bucket_uri": local.BUCKET_URI, **parameters.parse(given, spec)}
    place = Root(root)
    local.run(local.DEFAULT_SPEC, parameters.resolve(spec, values), place, filler.watching)


def full_in(project: SmallProject, root: Path, step: str, left: int, text: str = "") -> list[str]:
    """Runs with a disk that is full from a step on; the steps that failed by it."""
    filler = Filler(root.parent, step, left, text)
    try:
        run(project, root, filler)
    except (CommandError, StepError, OSError) as error:
        told = str(error)
        assert "is full; free some space" in told or "No space left on device" in told, told
        assert "run again" in told, told
        assert len(told.splitlines()) == 1
        assert not getattr(error, "lines", ())
    finally:
        filler.file.unlink(missing_ok=True)
    return filler.failed


def assert_nothing_is_left_that_is_used(project: SmallProject, root: Path) -> None:
    """Runs with room again, to the end that an undisturbed run has."""
    project.run(root)
    assert outcome(root) == outcome(project.undisturbed)
    assert versions(root) == ["1"]
    assert_tidy(root)
    assert {states(root)[step] for step in ("ingest", "decode", "train")} == {"cached"}
    assert summary(root)["state"] == "done"
    assert shutil.disk_usage(root).used < DISK_BYTES / 2


@pytest.mark.timeout(soak.SECONDS)
def test_a_disk_too_small_for_the_outputs_of_any_step_is_told_and_leaves_nothing_that_is_used(
    project: SmallProject, disk: Path
) -> None:
    root = disk / "root"
    for step, (pages, text) in FILLED.items():
        assert full_in(project, root, step, pages * PAGE, text) == [step]
        folder = {"find_champion": "find-champion", "upload": "package-model"}.get(step, step)
        log = newest_run(root) / "steps" / folder / "log.txt"
        assert "Got executor_input" in log.read_text(), f"the code of {step} found no room"
    assert_nothing_is_left_that_is_used(project, root)


@pytest.mark.soak
@pytest.mark.timeout(soak.SECONDS)
@pytest.mark.parametrize("left", [0, 20_000, 200_000])
def test_a_disk_that_fills_up_in_any_step_is_told_and_leaves_nothing_that_is_used(
    project: SmallProject, disk: Path, left: int
) -> None:
    root = disk / "root"
    failed = [full_in(project, root, step, left) for step in FILLED]
    assert left or failed == [[step] for step in FILLED]
    assert_nothing_is_left_that_is_used(project, root)
