"""Runs that are killed, at every step and at random moments, and run again."""

import functools
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests import soak
from tests.command import states, summary, versions
from tests.small_project import LAST, SmallProject, assert_tidy, logs, outcome, runs, said

KILLED_IN = (
    ("ingest", said("train-images-idx3-ubyte.gz: ")),
    ("decode", said("Got executor_input")),
    ("train", said("training on")),
    ("train", said("epoch 2/3")),
    ("find-champion", runs),
    ("evaluate", said("Challenger: accuracy")),
    ("package-model", runs),
    ("model-upload-2", runs),
    (LAST, runs),
)
"""Steps, and when in them: those that are quick as soon as their process is there.

The training comes before the look-up, of which kfp runs either first: it must not be done yet.
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    return SmallProject(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def expected(project: SmallProject) -> dict[str, Any]:
    """What that run came to."""
    return outcome(project.undisturbed)


@pytest.mark.timeout(1800)
def test_a_run_killed_in_each_step_comes_to_what_an_undisturbed_one_does(
    project: SmallProject, expected: dict[str, Any], tmp_path: Path
) -> None:
    for step, sign in KILLED_IN:
        project.kill_in(tmp_path, step, sign)
    said = project.run(tmp_path)
    assert outcome(tmp_path) == expected
    assert versions(tmp_path) == ["1"]
    assert "already version 1" in said.stdout
    assert_tidy(tmp_path)
    assert len(list(tmp_path.glob("runs/*"))) == len(KILLED_IN) + 1
    assert len(list(tmp_path.glob("runs/*/summary.json"))) == 1

    # Nothing that was done was done again: a killed step twice, and training once more.
    times = {step: len(logs(tmp_path, step)) for step in ("ingest", "decode", "train")}
    assert times == {"ingest": 2, "decode": 2, "train": 3}
    first, second = sorted(logs(tmp_path, "train"), key=lambda path: path.stat().st_mtime)[1:]
    assert "epoch 2/3" in first.read_text()
    assert "going on after epoch" in second.read_text()
    assert "epoch 1/3" not in second.read_text()


@pytest.mark.timeout(1800)
def test_a_training_that_had_ended_when_the_run_was_killed_is_not_trained_again(
    project: SmallProject, expected: dict[str, Any], tmp_path: Path
) -> None:
    # The step writes this at its very end, and the cache's entry comes after it.
    assert project.kill_when(
        tmp_path, lambda: any(tmp_path.glob("runs/*/steps/train/executor_output.json"))
    )
    project.run(tmp_path)
    assert states(tmp_path)["train"] == "done"
    assert outcome(tmp_path) == expected
    *_, said = sorted(logs(tmp_path, "train"), key=lambda path: path.stat().st_mtime)
    assert "going on after epoch 3 of 3" in said.read_text()
    assert_tidy(tmp_path)


@pytest.mark.timeout(1800)
def test_outputs_that_lost_their_ends_in_a_power_cut_are_made_anew(
    project: SmallProject, expected: dict[str, Any]
) -> None:
    root = project.undisturbed
    harmed = [
        *root.glob("bucket/.cloudstorage/*/raw/*/t10k-images*"),
        *root.glob("runs/*/steps/decode/train_records/*-00001-of-*"),
        *root.glob("runs/*/steps/train/model/variables/variables.data*"),
    ]
    assert len(harmed) == 3
    for path in harmed:
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
    said = project.run(root)
    assert "t10k-images-idx3-ubyte.gz is damaged; it is made anew" in said.stderr
    assert {states(root)[step] for step in ("ingest", "decode", "train")} == {"done"}
    assert outcome(root) == expected
    project.run(root)
    assert {states(root)[step] for step in ("ingest", "decode", "train")} == {"cached"}


def has_come(moment: float) -> bool:
    return time.monotonic() >= moment


@pytest.mark.soak
@pytest.mark.timeout(soak.SECONDS)
def test_a_run_killed_at_random_moments_comes_to_what_an_undisturbed_one_does(
    project: SmallProject, expected: dict[str, Any], tmp_path: Path
) -> None:
    chance = random.Random(0)
    seconds = summary(project.undisturbed)["seconds"] + 3
    for moment in range(soak.rounds(20)):
        root = tmp_path / str(moment)
        disturbed = 0
        for _ in range(chance.randint(1, 3)):
            at = time.monotonic() + chance.uniform(0, seconds)
            disturbed += project.kill_when(root, functools.partial(has_come, at))
        project.run(root)
        print(f"moment {moment}: killed {disturbed} times, then {states(root)}")
        assert outcome(root) == expected, moment
        assert_tidy(root)
