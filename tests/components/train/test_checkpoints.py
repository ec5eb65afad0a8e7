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
from components.train.trainer import input_pipeline, job
from components.train.trainer.splits import Split
from components.train.trainer.training import Training
from pipeline.local import emulator
from tests import soak

from .conftest import SMALL, read_result, run
from .test_tensorboard import STEPS, points

TRAINER: Final = """
import sys
from components.train.trainer import input_pipeline, task
input_pipeline.MEMORY = int(sys.argv.pop(1))
sys.exit(task.main())
"""


class Stopped(BaseException):
    """Stands for the end of the process."""


@contextlib.contextmanager
def stopped_in(owner: Any, name: str, number: int = 1, *, after: bool = False) -> Iterator[None]:
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


@pytest.mark.parametrize(
    ("owner", "name", "number", "after", "epochs"),
    [
        pytest.param(Training, "_validate", 3, False, 2, id="in an epoch"),
        # Of the second epoch two files of the log and one of the checkpoint, after those of the
        # first: two, and two with TensorFlow's list of checkpoints.
        pytest.param(folder, "upload", 8, True, 1, id="while publishing"),
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
            run(train, validation, place, tmp_path / "first")
        with caplog.at_level(logging.INFO, "components.train.trainer"):
            run(train, validation, place, tmp_path / "second")
        folder.fetch(place, tmp_path / "job")
    assert f"resuming after epoch {epochs} of 3" in caplog.text
    result = read_result(tmp_path / "job")
    assert result == read_result(finished)
    assert not (tmp_path / "job" / "checkpoints").exists()
    # The log has the whole curve, though TensorBoard's files are written anew.
    log = tmp_path / "job" / "logs" / "validation"
    accuracy = [row["validation_accuracy"] for row in result["curve"]]
    expected = dict(zip(STEPS, accuracy, strict=True))
    assert points(log, "epoch_accuracy") == pytest.approx(expected)
    assert list(points(log, "confusion_matrix")) == STEPS[epochs:]


@pytest.fixture(scope="module")
def unfinished(train: Split, validation: Split, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a job that ended after its last checkpoint."""
    place = tmp_path_factory.mktemp("unfinished")
    with stopped_in(job, "write_manifest"):
        run(train, validation, place, place)
    return place


@pytest.mark.parametrize("changed", ["hyperparameters", "seed", "packages"])
def test_another_training_in_the_same_folder_does_not_resume_from_these_checkpoints(
    train: Split,
    validation: Split,
    unfinished: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    changed: str,
) -> None:
    given: dict[str, Any] = {}
    if changed == "hyperparameters":
        given["hyperparameters"] = dataclasses.replace(SMALL, learning_rate=0.1)
    elif changed == "seed":
        given["seed"] = 1
    else:
        monkeypatch.setattr(job, "versions", lambda: {"tensorflow": "0.1"})
    with caplog.at_level(logging.INFO, "components.train.trainer"), stopped_in(Training, "run"):
        run(train, validation, unfinished, unfinished, **given)
    assert "training on" in caplog.text
    assert "resuming" not in caplog.text


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("harmed", "harm", "epochs"),
    [
        ("nothing", cut_off, 3),
        ("ckpt-3.data*", flipped, 2),
        ("ckpt-*.index", cut_off, 0),
    ],
)
def test_a_training_resumes_after_its_newest_undamaged_checkpoint_to_the_same_bits(
    train: Split,
    validation: Split,
    finished: Path,
    unfinished: Path,
    tmp_path: Path,
    harmed: str,
    harm: Callable[[Path], None],
    epochs: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    place = tmp_path / "job"
    shutil.copytree(unfinished, place)
    (kept,) = (place / "checkpoints").iterdir()
    for path in kept.glob(harmed):
        harm(path)
    with caplog.at_level(logging.INFO, "components.train.trainer"):
        run(train, validation, place, place)
    assert (f"{kept}/ckpt-3 is damaged" in caplog.text) is (epochs < 3)
    assert (f"resuming after epoch {epochs} of 3" in caplog.text) is (epochs > 0)
    assert read_result(place) == read_result(finished)
    assert not kept.exists()


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
