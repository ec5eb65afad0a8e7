"""Who waits long for the first training is told of a quicker one, and nobody else."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from components.train.trainer.hyperparameters import PRESETS
from pipeline.cli import first_run
from pipeline.cli.app import app
from pipeline.errors import UsageError
from pipeline.runs.root import Root


@pytest.fixture(autouse=True)
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_run, "cpu_has_bfloat16", lambda: False)


def test_the_default_in_float32_takes_long(tmp_path: Path) -> None:
    said = first_run.note({"source", "bucket_uri"}, Root(tmp_path / "new"))
    assert "does not compute bfloat16" in said
    assert "run --preset fast is a quick first run" in said


def test_with_bfloat16_there_is_nothing_to_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_run, "cpu_has_bfloat16", lambda: True)
    assert first_run.note((), Root(tmp_path)) == ""


@pytest.mark.parametrize("given", [PRESETS.get("best"), {"train_steps": 10}])
def test_who_chose_hyperparameters_knows(tmp_path: Path, given: dict[str, object]) -> None:
    assert first_run.note(given, Root(tmp_path)) == ""


def test_who_has_run_it_knows(tmp_path: Path) -> None:
    Root(tmp_path).runs.mkdir()
    assert first_run.note((), Root(tmp_path)) == ""


def test_it_is_said_before_the_run_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(*_: object, **__: object) -> None:
        raise UsageError("it would start now")

    monkeypatch.setattr("pipeline.compiler.check", lambda: None)
    monkeypatch.setattr("pipeline.local.run.run", start)
    said = CliRunner().invoke(app, ["run", "--root", str(tmp_path / "new")]).stderr.splitlines()
    assert len(said) == 2
    assert "run --preset fast is a quick first run" in said[0]
    assert said[1] == "error: it would start now"
