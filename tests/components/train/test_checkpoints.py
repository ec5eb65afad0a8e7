"""Trainings that end in the middle and resume to the same bits."""

import contextlib
import dataclasses
import logging
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from components.dataset import folder
from components.train.trainer import checkpoints, input_pipeline, job
from components.train.trainer.checkpoints import CheckpointError
from components.train.trainer.outputs import Folder, Outputs
from components.train.trainer.splits import Split
from components.train.trainer.training import Training
from pipeline.local import emulator
from tests import soak

from .conftest import SMALL, read_result

TRAINER: Final = """
import sys
from components.train.trainer import input_pipeline, task
input_pipeline.MEMORY = int(sys.argv.pop(1))
sys.exit(task.main())
"""


class Stopped(BaseException):
    """Stands for the end of the process."""


def outputs(job_dir: object, scratch: Path) -> Outputs:
    """The folders of a job; nothing of those in a bucket is here yet."""
    return Outputs.of_job(str(job_dir), {}, scratch)


@contextlib.contextmanager
def stopped_in(owner: Any, name: str, number: int, *, after: bool = False) -> Iterator[None]:
    """Ends the training at the n-th call of a function, before or after it has done its work."""
    call, calls = getattr(owner, name), iter(range(1, 1_000_000))

    def counted(*args: Any, **options: Any) -> Any:
        last = next(calls) == number
        if last and not after:
            raise Stopped
        result = call(*args, **options)
        if last:
            raise Stopped
        return result

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(owner, name, counted)
        yield


@pytest.fixture(scope="module")
def finished(train: Split, validation: Split, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a job that was not interrupted."""
    place = tmp_path_factory.mktemp("finished")
    job.run(train, validation, SMALL, outputs(place, place))
    return place


@pytest.mark.parametrize(
    ("owner", "name", "number", "after", "epochs"),
    [
        pytest.param(Training, "_validate", 3, False, 2, id="in an epoch"),
        # After each epoch first the log is published, then the checkpoints.
        pytest.param(folder, "publish", 4, False, 1, id="before publishing"),
        # Two files of the log and two of the checkpoint; two, and two of the first checkpoint.
        pytest.param(folder, "publish_file", 9, True, 1, id="while publishing"),
    ],
)
def test_a_training_that_ends_in_the_middle_resumes_to_the_same_bits(
    train: Split,
    validation: Split,
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    owner: Any,
    name: str,
    number: int,
    after: bool,
    epochs: int,
) -> None:
    place = f"gs://{emulator.LOCAL_BUCKET}/job"
    with emulator.serve(tmp_path / "bucket") as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        with stopped_in(owner, name, number, after=after):
            job.run(train, validation, SMALL, outputs(place, tmp_path / "first"))
        with caplog.at_level(logging.INFO, "components.train.trainer"):
            job.run(train, validation, SMALL, outputs(place, tmp_path / "second"))
        folder.fetch(place, tmp_path / "job")
    assert f"resuming after epoch {epochs} of 3" in caplog.text
    assert read_result(tmp_path / "job") == read_result(finished)


def test_a_streamed_training_resumes_to_the_same_bits(
    train: Split, validation: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_pipeline, "MEMORY", 100_000)
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    job.run(train, validation, SMALL, outputs(whole, whole))
    with stopped_in(Training, "_validate", 2):
        job.run(train, validation, SMALL, outputs(resumed, resumed))
    job.run(train, validation, SMALL, outputs(resumed, resumed))
    assert read_result(resumed) == read_result(whole)


def test_a_finished_job_is_not_trained_again(
    train: Split, validation: Split, finished: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Training, "_epoch", None)
        again = job.run(train, validation, SMALL, outputs(tmp_path, tmp_path))
    assert read_result(tmp_path) == read_result(finished)
    assert again.metrics["training_seconds"] == sum(
        row["seconds"] for row in again.history["epochs"]
    )


@pytest.mark.parametrize("changed", ["hyperparameters", "seed", "packages"])
def test_the_checkpoints_of_another_training_are_refused(
    train: Split,
    validation: Split,
    finished: Path,
    monkeypatch: pytest.MonkeyPatch,
    changed: str,
) -> None:
    given, seed = SMALL, 0
    if changed == "hyperparameters":
        given = dataclasses.replace(SMALL, learning_rate=0.1)
    elif changed == "seed":
        seed = 1
    else:
        monkeypatch.setattr(job, "versions", lambda: {"tensorflow": "0.1"})
    with pytest.raises(CheckpointError, match=f"{finished}/checkpoints has checkpoints of a train"):
        job.run(train, validation, given, outputs(finished, finished), seed=seed)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("harmed", "harm", "epochs"),
    [
        ("ckpt-3.data*", flipped, 2),
        ("ckpt-3.index", cut_off, 2),
        ("ckpt-*.data*", cut_off, 0),
    ],
)
def test_a_training_resumes_after_its_newest_undamaged_checkpoint_to_the_same_bits(
    train: Split,
    validation: Split,
    finished: Path,
    tmp_path: Path,
    harmed: str,
    harm: Callable[[Path], None],
    epochs: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    for path in (tmp_path / "checkpoints").glob(harmed):
        harm(path)
    with caplog.at_level(logging.INFO, "components.train.trainer"):
        job.run(train, validation, SMALL, outputs(tmp_path, tmp_path))
    assert f"{tmp_path}/checkpoints/ckpt-3 is damaged" in caplog.text
    assert (f"resuming after epoch {epochs} of 3" in caplog.text) is (epochs > 0)
    assert read_result(tmp_path) == read_result(finished)
    kept = [sorted(at.joinpath("checkpoints").iterdir()) for at in (tmp_path, finished)]
    assert [path.name for path in kept[0]] == [path.name for path in kept[1]]


def test_trainings_in_one_folder_keep_apart_and_remove_their_checkpoints_when_they_are_done(
    train: Split, validation: Split, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    shared = Outputs(Folder(tmp_path / "model"), Folder(kept), shared=True)
    with stopped_in(checkpoints.Checkpoints, "save", 1, after=True):
        job.run(train, validation, SMALL, shared)
    (unfinished,) = kept.iterdir()
    job.run(train, validation, dataclasses.replace(SMALL, epochs=1), shared)
    assert list(kept.iterdir()) == [unfinished]
    job.run(train, validation, SMALL, shared)
    assert not list(kept.iterdir())


def start(job_dir: Path, memory: int, arguments: list[str]) -> "subprocess.Popen[str]":
    """The trainer in a process of its own, with so many bytes of records in memory."""
    command = [sys.executable, "-c", TRAINER, str(memory), f"--job-dir={job_dir}", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True)


@pytest.mark.soak
@pytest.mark.timeout(soak.SECONDS)
@pytest.mark.parametrize(
    ("memory", "options"),
    [
        (input_pipeline.MEMORY, ["--precision=float32"]),
        (input_pipeline.MEMORY, ["--precision=bfloat16"]),
        (100_000, ["--precision=float32", "--sampling=uniform"]),
    ],
)
def test_a_training_that_is_killed_at_random_moments_resumes_to_the_same_bits(
    files: list[str], tmp_path: Path, memory: int, options: list[str]
) -> None:
    arguments = [*files, "--filters", "4", "8", "--batch-size=32", "--dropout=0.2", "--epochs=40"]
    arguments += ["--augmentation=flip+shift", *options]
    started = time.monotonic()
    assert start(tmp_path / "whole", memory, arguments).wait() == 0
    seconds = time.monotonic() - started
    chance = random.Random(1)
    killed = jobs = 0
    while killed < soak.rounds(20):
        jobs += 1
        place = tmp_path / f"job-{jobs}"
        while (process := start(place, memory, arguments)).poll() is None:
            time.sleep(chance.uniform(seconds / 4, seconds))
            process.kill()
            killed += process.wait() == -signal.SIGKILL
            if process.returncode == 0:
                break
        assert read_result(place) == read_result(tmp_path / "whole"), place
