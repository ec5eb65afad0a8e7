import errno
import fcntl
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import CommandError
from pipeline.files import UNFINISHED
from pipeline.local import run as local
from pipeline.local import run_folder
from pipeline.runs.record import Run
from pipeline.runs.registry import Registry
from pipeline.runs.root import Root
from pipeline.specs import spec as specs

NAME = "fashion-mnist"
METRICS = json.dumps({"slicedMetrics": [{"metrics": {"classification": {"logLoss": 0.5}}}]})
OUTPUT = json.dumps(
    {"artifacts": {"registry_evaluation": {"artifacts": [{"metadata": {"model_digest": "d1"}}]}}}
)


@pytest.fixture(scope="module")
def spec() -> specs.Spec:
    return specs.load(local.DEFAULT_SPEC)


@pytest.fixture
def run(spec: specs.Spec, tmp_path: Path) -> Run:
    """A run that has begun."""
    return run_folder.begin(spec, {"seed": 1}, tmp_path / "runs")


def told(run: Run) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run.directory / "summary.json").read_text())
    return content


def test_a_run_that_has_ended_is_left_alone(run: Run, registry: Registry) -> None:
    (run.directory / "scratch" / "venv").mkdir()
    (run.directory / "scratch" / "file").touch()
    run.state = "done"
    run_folder.end(run)
    assert not (run.directory / "scratch").exists()
    before = (run.directory / "summary.json").read_bytes()
    run_folder.clear(Root(run.directory.parents[1]))
    assert (run.directory / "summary.json").read_bytes() == before
    assert told(run)["state"] == "done"


def test_the_scratch_of_a_killed_run_is_removed_and_the_run_named(
    run: Run, registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    (run.directory / "scratch" / "train-abc").mkdir()
    run_folder.clear(Root(run.directory.parents[1]))
    assert not (run.directory / "scratch").exists()
    assert f"{run.id} was killed" in caplog.text


def package(run: Run, evaluation: str, output: str) -> None:
    """Leaves what the step does that comes before the upload."""
    step = run.directory / run_folder.PACKAGED
    step.mkdir(parents=True)
    (step / run_folder.EVALUATION).write_text(evaluation)
    (step / "executor_output.json").write_text(output)


@pytest.mark.parametrize("state", ["running", "failed"])
def test_a_run_that_ended_after_its_upload_has_its_evaluation_imported(
    run: Run, registry: Registry, saved_model: Path, state: str
) -> None:
    if state == "failed":
        run.state = state
        run_folder.end(run)
    others = registry.add_version(NAME, saved_model, {"run": "another"})
    own = registry.add_version(NAME, saved_model, {"run": run.id})
    package(run, METRICS, OUTPUT)
    run_folder.clear(Root(run.directory.parents[1]))
    imported = json.loads((own.path / "evaluation.json").read_text())
    assert imported == {"logLoss": 0.5, "model_digest": "d1"}
    assert not (others.path / "evaluation.json").exists()


@pytest.mark.parametrize(
    ("evaluation", "output"),
    [
        ("", OUTPUT),
        ("{", OUTPUT),
        ("{}", OUTPUT),
        ('{"slicedMetrics": []}', OUTPUT),
        ("[]", OUTPUT),
        (METRICS, ""),
        (METRICS, "{}"),
    ],
)
def test_an_evaluation_that_a_power_cut_took_stops_nothing(
    run: Run, registry: Registry, saved_model: Path, evaluation: str, output: str
) -> None:
    version = registry.add_version(NAME, saved_model, {"run": run.id})
    package(run, evaluation, output)
    run_folder.clear(Root(run.directory.parents[1]))
    assert not (version.path / "evaluation.json").exists()
    assert not (run.directory / "scratch").exists()


def test_a_damaged_registry_stops_no_run_that_may_not_need_it(
    run: Run, registry: Registry, saved_model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    version = registry.add_version(NAME, saved_model, {"run": run.id}, ["default"])
    (version.path / "version.json").write_text("{")
    package(run, METRICS, OUTPUT)
    later = registry.add_version(NAME, saved_model, {"run": run.id}, ["default"])
    run_folder.clear(Root(run.directory.parents[1]))
    assert f"{version.path / 'version.json'} is no JSON" in caplog.text
    assert (later.path / "evaluation.json").exists()
    assert not (run.directory / "scratch").exists()


def test_what_a_killed_writer_left_is_removed_and_not_what_a_command_writes_now(
    run: Run, registry: Registry, saved_model: Path
) -> None:
    root = Root(run.directory.parents[1])
    version = registry.add_version(NAME, saved_model, {})
    root.cache.mkdir()
    own, shared = (version.path, root.cache), (run.directory, root.path)
    for folder in (*own, *shared):
        (folder / f"{UNFINISHED}now").touch()
        (folder / f"{UNFINISHED}old").touch()
        os.utime(folder / f"{UNFINISHED}old", (0, 0))
    run_folder.clear(root)
    assert [[*folder.glob(f"{UNFINISHED}*")] for folder in own] == [[], []]
    left = [folder / f"{UNFINISHED}now" for folder in shared]
    assert [path for folder in shared for path in folder.glob(f"{UNFINISHED}*")] == left


def test_what_another_writer_of_the_registry_has_in_hand_is_left_to_it(
    run: Run, registry: Registry, saved_model: Path
) -> None:
    version = registry.add_version(NAME, saved_model, {})
    unfinished = version.path / f"{UNFINISHED}now"
    clearing = threading.Thread(target=run_folder.clear, args=(Root(run.directory.parents[1]),))
    with (version.path.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        unfinished.touch()
        clearing.start()
        clearing.join(0.3)
        assert unfinished.exists()
    clearing.join(10)
    assert not unfinished.exists()


def test_a_summary_that_does_not_fit_on_the_disk_hides_no_error(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Run, "write", full)
    run.state = "failed"
    run_folder.end(run)
    assert not (run.directory / "scratch").exists()
    (run.directory / "scratch").mkdir()
    run.state = "done"
    with pytest.raises(CommandError, match=r"the disk that holds .* is full; .* and run again"):
        run_folder.end(run)
