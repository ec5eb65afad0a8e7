"""TensorBoard over the runs of a root."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from components.train.trainer.hyperparameters import Hyperparameters
from pipeline import tensorboard
from pipeline.errors import UsageError
from pipeline.runs.root import Root


def add_run(root: Root, name: str, parameters: dict[str, Any] | None = None) -> Path:
    """A run with a log of one point; without parameters one that has not ended."""
    directory = root.runs / name
    log = directory / "steps" / "train" / "logs" / "train"
    with tf.summary.create_file_writer(str(log)).as_default(step=1):
        tf.summary.scalar("epoch_loss", 0.5)
    if parameters is not None:
        content = {"parameters": {**Hyperparameters().as_dict(), **parameters}}
        (directory / "summary.json").write_text(json.dumps(content))
    return directory


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(tmp_path / "root")


@pytest.fixture
def links(tmp_path: Path) -> Path:
    folder = tmp_path / "links"
    folder.mkdir()
    return folder


def names(folder: Path) -> list[str]:
    return sorted(link.name for link in folder.iterdir())


def test_a_run_is_named_by_its_id_and_by_what_it_changed(root: Root, links: Path) -> None:
    add_run(root, "run-1", {"bucket_uri": "gs://b", "seed": 0})
    add_run(root, "run-2", {"filters": [16, 32], "learning_rate": 0.05, "augmentation": "none"})
    assert tensorboard.link_logs(root, links) == 2
    assert names(links) == ["run-1", "run-2 learning_rate=0.05 filters=16,32 augmentation=none"]
    assert list((links / "run-1" / "train").glob("events.*"))


def test_a_run_that_goes_on_is_shown_and_gets_its_name_when_it_has_ended(
    root: Root, links: Path
) -> None:
    tensorboard.link_logs(root, links)
    add_run(root, "run-1")
    tensorboard.link_logs(root, links)
    assert names(links) == ["run-1"]
    add_run(root, "run-1", {"epochs": 2})
    tensorboard.link_logs(root, links)
    assert names(links) == ["run-1 epochs=2"]


def test_a_run_without_a_log_is_left_out(root: Root, links: Path) -> None:
    directory = add_run(root, "run-1", {})
    (root.runs / "cached").mkdir()
    (directory / "steps" / "train" / "logs").rename(directory / "elsewhere")
    assert tensorboard.link_logs(root, links) == 0


def test_without_a_run_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has no run that has trained; start one with `make run`"):
        tensorboard.main(["--root", str(tmp_path)])


def test_tensorboard_shows_the_runs_behind_the_links(root: Root, links: Path) -> None:
    add_run(root, "run-1", {"epochs": 2})
    tensorboard.link_logs(root, links)
    address = tensorboard.start(links, ["--port", "0"])
    with urllib.request.urlopen(f"{address}data/plugin/scalars/tags", timeout=60) as answer:
        assert list(json.load(answer)) == ["run-1 epochs=2/train"]
