"""Trainings that end in the middle, with their checkpoints in a bucket, and go on."""

import contextlib
import dataclasses
import json
import logging
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import tensorflow as tf

from components.dataset import folder
from components.train.trainer import input_pipeline, job
from components.train.trainer.outputs import Outputs
from components.train.trainer.splits import Split
from components.train.trainer.training import Training
from components.train.trainer.util import Hyperparameters
from pipeline.local import emulator
from tests import soak

SMALL: Final = Hyperparameters(
    filters=(4, 8), dense_units=16, batch_size=32, epochs=4, dropout=0.2, augmentation="flip+shift"
)
CHECKOUT: Final = Path(__file__).parents[3]
TRAINER: Final = """
import sys
from components.train.trainer import input_pipeline, task
input_pipeline.MEMORY = int(sys.argv.pop(1))
sys.exit(task.main())
"""


class Stopped(BaseException):
    """Stands for the end of the process."""


@contextlib.contextmanager
def served(place: Path) -> Iterator[str]:
    """The address of a bucket that is kept in a folder."""
    with emulator.serve(place / "bucket") as host, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STORAGE_EMULATOR_HOST", host)
        yield f"gs://{emulator.LOCAL_BUCKET}"


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[str]:
    with served(tmp_path) as address:
        yield address


def stopping(call: Callable[..., Any], number: int, *, after: bool) -> Callable[..., Any]:
    """The call that ends the process the n-th time, before or after it has done its work."""
    calls = iter(range(1, 1_000_000))

    def counted(*args: Any, **options: Any) -> Any:
        last = next(calls) == number
        if last and not after:
            raise Stopped
        result = call(*args, **options)
        if last:
            raise Stopped
        return result

    return counted


def stop_in_the_third_epoch(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Training, "_validate", stopping(Training._validate, 3, after=False))


def stop_before_the_checkpoint_is_published(patch: pytest.MonkeyPatch) -> None:
    # After each epoch first the log, then the checkpoints.
    patch.setattr(folder, "publish", stopping(folder.publish, 4, after=False))


def stop_in_the_middle_of_publishing(patch: pytest.MonkeyPatch) -> None:
    # Two files of the log and two of the checkpoint; two, and two of the first checkpoint again.
    patch.setattr(folder, "publish_file", stopping(folder.publish_file, 4 + 4 + 1, after=True))


@pytest.mark.parametrize(
    ("precision", "stop", "epochs"),
    [
        ("float32", stop_in_the_third_epoch, 2),
        ("bfloat16", stop_before_the_checkpoint_is_published, 1),
        ("bfloat16", stop_in_the_middle_of_publishing, 1),
    ],
)
def test_a_training_that_ends_in_the_middle_goes_on_to_the_same_bits(
    train: Split,
    validation: Split,
    bucket: str,
    tmp_path: Path,
    precision: str,
    stop: Callable[[pytest.MonkeyPatch], None],
    epochs: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = dataclasses.replace(SMALL, precision=precision)
    job.run(train, validation, given, outputs(f"{bucket}/whole", tmp_path / "first"))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stopped):
        stop(patch)
        job.run(train, validation, given, outputs(f"{bucket}/job", tmp_path / "second"))
    with caplog.at_level(logging.INFO, "components.train.trainer"):
        job.run(train, validation, given, outputs(f"{bucket}/job", tmp_path / "third"))
    assert f"going on after epoch {epochs} of 4" in caplog.text
    assert result(tmp_path, "job") == result(tmp_path, "whole")


def test_a_checkpoint_that_a_power_cut_took_from_the_bucket_is_done_without(
    train: Split, validation: Split, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with served(tmp_path) as bucket:
        job.run(train, validation, SMALL, outputs(f"{bucket}/whole", tmp_path / "first"))
        job.run(train, validation, SMALL, outputs(f"{bucket}/job", tmp_path / "second"))
    (data,) = (tmp_path / "bucket").rglob("job/checkpoints/ckpt-4.data*")
    data.write_bytes(data.read_bytes()[:-1])
    with served(tmp_path) as bucket, caplog.at_level(logging.INFO, "components.train.trainer"):
        job.run(train, validation, SMALL, outputs(f"{bucket}/job", tmp_path / "third"))
    assert f"{bucket}/job/checkpoints/ckpt-4 is damaged" in caplog.text
    assert "going on after epoch 3 of 4" in caplog.text
    assert result(tmp_path, "job") == result(tmp_path, "whole")


def outputs(job_dir: str, scratch: Path) -> Outputs:
    """The folders of a job in a bucket, with nothing of it here yet."""
    return Outputs.of_job(job_dir, {}, scratch)


def result(directory: Path, name: str) -> dict[str, Any]:
    """The weights and the learning curve that a job left in the bucket."""
    place = directory / "bucket" / ".cloudstorage" / emulator.LOCAL_BUCKET / name
    # Not the file: it also has the names of layers, which count on within a process.
    reader = tf.train.load_checkpoint(str(place / "model" / "variables" / "variables"))
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("weights")]
    assert names
    rows = json.loads((place / "history.json").read_text())["epochs"]
    timeless = [{key: row[key] for key in row if key != "seconds"} for row in rows]
    return {"curve": timeless, **{name: reader.get_tensor(name).tobytes() for name in names}}


@dataclasses.dataclass(frozen=True)
class Trainer:
    """The trainer's command line, in processes of their own.

    Attributes:
        arguments: All but the job's directory.
        bucket: Has the directories of the jobs.
        memory: Bytes of records that it may hold in memory; with more it streams them.
    """

    arguments: Sequence[str]
    bucket: str
    memory: int = input_pipeline.MEMORY

    def start(self, name: str) -> "subprocess.Popen[str]":
        """Starts a job, or lets it go on; what it says is to be read."""
        command = [sys.executable, "-c", TRAINER, str(self.memory)]
        return subprocess.Popen(
            [*command, f"--job-dir={self.bucket}/{name}", *self.arguments],
            cwd=CHECKOUT,
            env=dict(os.environ),
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, name: str) -> str:
        """Lets a job come to its end; what it said."""
        process = self.start(name)
        said, _ = process.communicate()
        assert process.returncode == 0, said
        return said

    def kill_after(self, name: str, text: str) -> None:
        """Starts a job and kills it when it has said something."""
        process = self.start(name)
        assert process.stdout
        assert any(text in line for line in process.stdout), "it ended before"
        assert process.poll() is None, "it ended before"
        kill(process)


def kill(process: "subprocess.Popen[str]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.fixture
def files(train_directory: Path, validation_directory: Path) -> list[str]:
    """The records, as arguments."""
    return [
        f"--train-files={train_directory}/*.tfrecord",
        f"--eval-files={validation_directory}/*.tfrecord",
    ]


@pytest.mark.parametrize("memory", [input_pipeline.MEMORY, 100_000], ids=["in memory", "streamed"])
def test_a_training_that_gets_sigkill_goes_on_to_the_same_bits(
    files: list[str], bucket: str, tmp_path: Path, memory: int
) -> None:
    options = ["--filters", "4", "8", "--dense-units=16", "--batch-size=32", "--epochs=4"]
    options += ["--dropout=0.2", "--augmentation=flip+shift", "--precision=float32"]
    trainer = Trainer([*files, *options], bucket, memory)
    trainer.run("whole")
    trainer.kill_after("job", "epoch 2/4")
    said = trainer.run("job")
    assert re.search("going on after epoch [12] of 4", said)
    assert "epoch 1/4" not in said
    assert result(tmp_path, "job") == result(tmp_path, "whole")


@pytest.mark.soak
@pytest.mark.timeout(soak.SECONDS)
@pytest.mark.parametrize(
    ("precision", "memory", "sampling"),
    [
        ("float32", input_pipeline.MEMORY, "loss"),
        ("bfloat16", input_pipeline.MEMORY, "loss"),
        ("float32", 100_000, "uniform"),
    ],
)
def test_a_training_killed_at_random_moments_goes_on_to_the_same_bits(
    files: list[str], bucket: str, tmp_path: Path, precision: str, memory: int, sampling: str
) -> None:
    options = ["--filters", "8", "16", "--batch-size=32", "--epochs=40", "--dropout=0.2"]
    options += ["--augmentation=flip+shift", f"--precision={precision}", f"--sampling={sampling}"]
    trainer = Trainer([*files, *options], bucket, memory)
    started = time.monotonic()
    trainer.run("whole")
    seconds = time.monotonic() - started
    expected = result(tmp_path, "whole")
    chance = random.Random(1)
    killed = 0
    jobs = 0
    while killed < soak.rounds(20):
        jobs += 1
        while (process := trainer.start(f"job-{jobs}")).poll() is None:
            try:
                process.communicate(timeout=chance.uniform(seconds / 4, seconds))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
            if process.returncode != -signal.SIGKILL:
                break  # It may also have ended just before.
            killed += 1
        assert process.returncode == 0
        assert result(tmp_path, f"job-{jobs}") == expected, jobs
    print(f"{precision}: {killed} kills in {jobs} trainings, each to the bits of {seconds:.0f} s")
