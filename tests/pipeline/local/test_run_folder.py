"""What a run's folder holds at its end, and what is removed of a killed one."""

import errno
import os
from pathlib import Path

import pytest

from pipeline.errors import CommandError
from pipeline.files import UNFINISHED
from pipeline.local import run as local
from pipeline.local import run_folder
from pipeline.runs.record import Run
from pipeline.runs.registry import INCOMING, Registry
from pipeline.runs.root import Root
from pipeline.specs import spec as specs


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path)


@pytest.fixture
def run(root: Root) -> Run:
    spec = specs.load(local.DEFAULT_SPEC)
    run = run_folder.begin(spec, {"seed": 1}, root)
    (run.directory / run_folder.SCRATCH / "train-abc").mkdir()
    return run


def test_a_killed_run_is_named_and_what_it_left_unfinished_removed(
    run: Run, root: Root, registry: Registry, saved_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    version = registry.add_version("fashion-mnist", saved_model, {})
    incoming = version.path.with_name(INCOMING)
    for folder in (root.cache, incoming):
        folder.mkdir()
    for path in (root.cache / ".kfp_cache_1.tmp", run.directory / f"{UNFINISHED}1"):
        path.touch()
    run_folder.clear(root)
    assert not incoming.exists()
    assert version.path.exists()
    assert not list(root.cache.iterdir())
    assert not list(run.directory.iterdir())
    assert f"{run.id} was killed" in caplog.text


def test_a_summary_that_does_not_fit_on_the_disk_hides_no_error(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Run, "write", full)
    run.state = "failed"
    run_folder.end(run)
    run.state = "done"
    with pytest.raises(CommandError, match=r"the disk that holds .* is full; .* and run again"):
        run_folder.end(run)
