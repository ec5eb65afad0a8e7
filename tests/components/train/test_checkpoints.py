"""Trainings that end in the middle and resume to the same bits."""

import dataclasses
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from components.dataset import folder
from components.train.trainer import input_pipeline, job
from components.train.trainer.splits import Split
from components.train.trainer.training import Training
from tests import soak

from .conftest import SMALL, read_result, run, stopped_in
from .test_tensorboard import STEPS, points

TRAINER: Final = """
import sys
from components.train.trainer import input_pipeline, task
input_pipeline.MEMORY = int(sys.argv.pop(1))
sys.exit(task.main())
"""


@pytest.mark.parametrize(
    ("stop", "after", "epochs"),
    [
        pytest.param((Training, "_validate", 3), False, 2, id="in an epoch"),
        # The first epoch uploads two files, and two with the list of checkpoints. This upload is in
        # the second one: two files of the log and one of the checkpoint came before it.
        pytest.param((folder, "upload", 8), True, 1, id="while publishing"),
    ],
)
def test_a_training_that_ends_in_the_middle_resumes_to_the_same_bits(
    splits: tuple[Split, Split],
    finished: Path,
    bucket: str,
    tmp_path: Path,
    said: pytest.LogCaptureFixture,
    stop: tuple[Any, str, int],
    after: bool,
    epochs: int,
) -> None:
    with stopped_in(*stop, after=after):
        run(splits, f"{bucket}/job", tmp_path / "first")
    run(splits, f"{bucket}/job", tmp_path / "second")
    folder.fetch(f"{bucket}/job", tmp_path / "job")
    assert f"resuming after epoch {epochs} of 3" in said.text
    result = read_result(tmp_path / "job")
    assert result == read_result(finished)
    assert not (tmp_path / "job" / "checkpoints").exists()
    # The log has the whole curve, though the second process wrote its files.
    log = tmp_path / "job" / "logs" / "validation"
    accuracy = [row["validation_accuracy"] for row in result["curve"]]
    expected = dict(zip(STEPS, accuracy, strict=True))
    assert points(log, "epoch_accuracy") == pytest.approx(expected)
    assert list(points(log, "confusion_matrix")) == STEPS[epochs:]


@pytest.fixture(scope="module")
def unfinished(splits: tuple[Split, Split], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a job that ended after its last checkpoint."""
    place = tmp_path_factory.mktemp("unfinished")
    with stopped_in(job, "write_manifest"):
        run(splits, place, place)
    return place


@pytest.mark.parametrize(
    ("given", "versions"),
    [
        ({"hyperparameters": dataclasses.replace(SMALL, learning_rate=0.2)}, job.versions()),
        ({"seed": 1}, job.versions()),
        ({}, {"tensorflow": "0.1"}),
    ],
)
def test_another_training_in_the_same_folder_does_not_resume_from_these_checkpoints(
    splits: tuple[Split, Split],
    unfinished: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: pytest.LogCaptureFixture,
    given: dict[str, Any],
    versions: dict[str, str],
) -> None:
    monkeypatch.setattr(job, "versions", lambda: versions)
    with stopped_in(Training, "run"):
        run(splits, unfinished, unfinished, **given)
    assert "training on" in said.text
    assert "resuming" not in said.text


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("harmed", "harm", "epochs"),
    [("nothing", cut_off, 3), ("ckpt-3.data*", flipped, 2), ("ckpt-*.index", cut_off, 0)],
)
def test_a_training_resumes_after_its_newest_undamaged_checkpoint_to_the_same_bits(
    splits: tuple[Split, Split],
    finished: Path,
    unfinished: Path,
    tmp_path: Path,
    said: pytest.LogCaptureFixture,
    harmed: str,
    harm: Callable[[Path], None],
    epochs: int,
) -> None:
    place = tmp_path / "job"
    shutil.copytree(unfinished, place)
    (kept,) = (place / "checkpoints").iterdir()
    for path in kept.glob(harmed):
        harm(path)
    run(splits, place, place)
    assert (f"{kept}/ckpt-3 is damaged" in said.text) is (epochs < 3)
    assert (f"resuming after epoch {epochs} of 3" in said.text) is (epochs > 0)
    assert read_result(place) == read_result(finished)
    assert not kept.exists()


def test_a_streamed_training_resumes_to_the_same_bits(
    splits: tuple[Split, Split], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_pipeline, "MEMORY", 100_000)
    given = dataclasses.replace(SMALL, train_steps=12)
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    run(splits, whole, whole, hyperparameters=given)
    with stopped_in(Training, "_validate", 2):
        run(splits, resumed, resumed, hyperparameters=given)
    run(splits, resumed, resumed, hyperparameters=given)
    assert read_result(resumed) == read_result(whole)


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
