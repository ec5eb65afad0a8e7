"""The list of the versions in the local registry."""

import json
from pathlib import Path

from tests.command import fashion_mnist
from tests.pipeline.local_registry import FIRST, SECOND, add_version


def test_the_versions_are_listed_the_newest_first(tmp_path: Path) -> None:
    root = tmp_path / ".fashion-mnist"
    add_version(root, tmp_path / "model")
    add_version(root, tmp_path / "model", run=SECOND, metrics={"accuracy": 0.94})
    done = fashion_mnist("models", cwd=tmp_path, COLUMNS="20")
    assert done.returncode == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["Version", "Aliases", "Accuracy", "Age", "Run"]
    assert rows[0].split()[:3] == ["fashion-mnist@2", "default", "0.9400"]
    assert rows[1].split()[:2] == ["fashion-mnist@1", "0.9123"]
    assert [row.split()[-1] for row in rows] == [SECOND, FIRST]
    first, second = json.loads(fashion_mnist("models", "--json", cwd=tmp_path).stdout)
    assert (first["model"], first["version"], first["run"]) == ("fashion-mnist", 2, SECOND)
    assert first["aliases"] == ["default", SECOND]
    assert Path(tmp_path, second["path"], "saved_model.pb").is_file()


def test_a_model_that_somebody_put_there_by_hand_is_listed(tmp_path: Path) -> None:
    add_version(tmp_path / ".fashion-mnist", tmp_path / "model", model="mine")
    version = tmp_path / ".fashion-mnist" / "registry" / "mine" / "1"
    (version / "version.json").unlink()
    done = fashion_mnist("models", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "mine@1" in done.stdout


def test_without_models_the_list_says_how_to_get_one(tmp_path: Path) -> None:
    assert "fashion-mnist run" in fashion_mnist("models", cwd=tmp_path).stdout
    assert json.loads(fashion_mnist("models", "--json", cwd=tmp_path).stdout) == []
