"""Runs that are killed, in every task and at random moments, and run again."""

import functools
import random
import time
from pathlib import Path

import pytest

from pipeline.runs.record import Run
from tests import soak
from tests.command import versions
from tests.small_project import Project, assert_tidy, logs, outcome, states

KILLED_IN = (
    ("ingest", "train-images-idx3-ubyte.gz: "),
    ("decode", "Got executor_input"),
    ("train", "epoch 2/3"),
    ("evaluate", "Got executor_input"),
    ("model-upload-2", "Got executor_input"),
)
"""Tasks that leave something, and what each has said when it is killed."""


def test_a_run_killed_in_its_tasks_comes_to_what_an_undisturbed_one_does(
    light: Project, tmp_path: Path
) -> None:
    for task, text in KILLED_IN:
        light.kill_in(tmp_path, task, text)
    run = light.run_light(tmp_path)
    assert outcome(tmp_path, run) == expected(light)
    assert versions(tmp_path) == ["1"]
    assert_tidy(tmp_path)
    assert len(list(tmp_path.glob("runs/*"))) == len(KILLED_IN) + 1
    assert len(list(tmp_path.glob("runs/*/summary.json"))) == 1

    # Nothing that was done was done again.
    assert [len(logs(tmp_path, task)) for task in ("ingest", "decode", "train")] == [2, 2, 2]
    first, second = (log.read_text() for log in logs(tmp_path, "train"))
    assert "epoch 2/3" in first
    assert "resuming after epoch 1" in second
    assert "epoch 1/3" not in second


def expected(light: Project) -> dict[str, object]:
    (directory,) = light.undisturbed.glob("runs/*")
    return outcome(light.undisturbed, Run.read(directory))


def test_what_is_gone_cut_or_changed_is_made_again(light: Project, tmp_path: Path) -> None:
    light.run_light(tmp_path)
    (raw,) = tmp_path.glob("bucket/.cloudstorage/*/raw/*/t10k-images*")
    (records,) = tmp_path.glob("runs/*/steps/decode/train_records/*-00001-of-*")
    (model,) = tmp_path.glob("runs/*/steps/train/model/variables/variables.data*")
    raw.unlink()
    records.write_bytes(records.read_bytes()[: records.stat().st_size // 2])
    model.write_bytes(bytes([model.read_bytes()[0] ^ 1]) + model.read_bytes()[1:])
    run = light.run_light(tmp_path)
    assert {states(run)[step] for step in ("ingest", "decode", "train")} == {"done"}
    assert outcome(tmp_path, run) == expected(light)


@pytest.mark.soak
@pytest.mark.timeout(soak.SECONDS)
def test_a_run_killed_at_random_moments_comes_to_what_an_undisturbed_one_does(
    light: Project, tmp_path: Path
) -> None:
    chance = random.Random(0)
    for moment in range(soak.rounds(40)):
        root = tmp_path / str(moment)
        for _ in range(chance.randint(1, 3)):
            at = time.monotonic() + chance.uniform(0, 12)
            light.kill_when(root, functools.partial(has_come, at))
        run = light.run_light(root)
        assert outcome(root, run) == expected(light), moment
        assert_tidy(root)


def has_come(moment: float) -> bool:
    return time.monotonic() >= moment
