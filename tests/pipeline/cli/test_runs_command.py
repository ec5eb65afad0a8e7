"""The runs on this machine, found again by their folders."""

import json
from pathlib import Path

from tests.command import fashion_mnist
from tests.pipeline.local_registry import FIRST, SECOND, add_run


def test_the_command_lists_the_runs(tmp_path: Path) -> None:
    root = tmp_path / ".fashion-mnist"
    for run, accuracy in ((FIRST, 0.9), (SECOND, 0.91)):
        add_run(root, run, accuracy=accuracy)
    failed = "fashion-mnist-20261125-090000-ef56"
    add_run(root, failed, state="failed", accuracy=None, version="")
    done = fashion_mnist("runs", cwd=tmp_path, COLUMNS="20")
    assert done.returncode == 0, done.stderr
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["Run", "Age", "State", "Accuracy", "Version", "Time"]
    assert [row.split()[0] for row in rows] == [failed, SECOND, FIRST], "whole, in a pipe"
    assert "0.9100" in rows[1]
    assert "1 min 23 s" in rows[1]
    assert "predict --run" in done.stderr
    done = fashion_mnist("runs", "--json", "--count", "2", cwd=tmp_path)
    first, second = json.loads(done.stdout)
    assert (first["run"], first["state"], first["accuracy"]) == (failed, "failed", None)
    assert (second["run"], second["accuracy"], second["version"]) == (SECOND, 0.91, "1")
    assert done.stderr == ""


def test_without_runs_the_list_says_how_to_make_one(tmp_path: Path) -> None:
    assert "fashion-mnist run" in fashion_mnist("runs", cwd=tmp_path).stdout
    assert json.loads(fashion_mnist("runs", "--json", cwd=tmp_path).stdout) == []
