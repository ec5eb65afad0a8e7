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
from pipeline import local
from pipeline.errors import CommandError
from pipeline.local_run.root import Root
from pipeline.local_run.tasks import Task, Watcher
from pipeline.specs import parameters
from pipeline.specs import spec as specs
from tests import soak
from tests.command import states, summary, versions
from tests.small_project import LAST, PARAMETERS, SmallProject, assert_tidy, outcome

STEPS: Final = ("ingest", "decode", "find-champion", "train", "evaluate", "package-model",
                "model-upload-2", LAST)  # fmt: skip
DISK_BYTES: Final = 64 << 20
LEFT: Final = (0, 20_000, 200_000)
"""Bytes that a step finds free: none, some for its log, some for a part of its outputs."""


class Filler:
    """Fills the disk when a step begins; a run's watcher."""

    def __init__(self, disk: Path, step: str, left: int) -> None:
        self.file = disk / "filler"
        self.step = step
        self.left = left

    def started(self, task: Task) -> None:
        if task.name != self.step:
            return
        with self.file.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError as error:
                assert error.errno == errno.ENOSPC
            file.truncate(max(0, file.tell() - self.left))

    def said(self, task: Task, line: str, *, transient: bool) -> None:
        pass

    def ended(self, task: Task) -> None:
        pass

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
    local.run(local.DEFAULT_SPEC, parameters.complete(values, spec), place, filler.watching)


def full_in(project: SmallProject, root: Path, step: str, left: int) -> bool:
    """Runs with a disk that is full from a step on; whether the run failed by it."""
    filler = Filler(root.parent, step, left)
    try:
        run(project, root, filler)
    except (CommandError, StepError, OSError) as error:
        told = str(error)
        assert "is full; free some space" in told or "No space left on device" in told, told
        assert "run again" in told, told
        assert len(told.splitlines()) == 1
        assert not getattr(error, "lines", ())
        return True
    finally:
        filler.file.unlink(missing_ok=True)
    return False


@pytest.mark.timeout(soak.SECONDS)
@pytest.mark.parametrize(
    "left", [LEFT[0], *(pytest.param(left, marks=pytest.mark.soak) for left in LEFT[1:])]
)
def test_a_disk_that_fills_up_in_any_step_is_told_and_leaves_nothing_that_is_used(
    project: SmallProject, disk: Path, left: int
) -> None:
    root = disk / "root"
    failed = [step for step in STEPS if full_in(project, root, step, left)]
    assert left or failed == list(STEPS)
    project.run(root)
    found = outcome(root)
    assert found == outcome(project.undisturbed)
    assert versions(root) == ["1"]
    assert_tidy(root)
    assert {states(root)[step] for step in ("ingest", "decode", "train")} == {"cached"}
    assert summary(root)["state"] == "done"
    assert shutil.disk_usage(disk).used < DISK_BYTES / 2
