"""The commands about the compiled pipeline."""

import json
from pathlib import Path

import pytest

from components.train.trainer.hyperparameters import Hyperparameters
from pipeline import compiler
from pipeline.errors import UsageError
from tests.pipeline.cli.conftest import Call


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "build", lambda _image: {"pipeline.yaml": "spec"})


def test_parameters_are_listed_with_defaults_and_types(call: Call) -> None:
    done = call("parameters")
    assert "learning_rate" in done.stdout
    assert "fashion-mnist run -p NAME=VALUE" in done.stderr
    printed = call("parameters", "--json")
    assert printed.stderr == ""
    known = {one["name"]: one for one in json.loads(printed.stdout)}
    assert known["epochs"]["default"] == Hyperparameters().epochs
    assert known["epochs"]["kind"] == "a whole number"
    assert known["bucket_uri"]["required"] is True


@pytest.mark.parametrize(
    ("options", "step"),
    [
        ((), "fashion-mnist run "),
        (("--image", "i@sha256:0"), "submit --bucket BUCKET --spec 'the output/pipeline.yaml' "),
    ],
)
def test_compile_prints_what_it_wrote_and_the_next_step(
    options: tuple[str, ...], step: str, call: Call
) -> None:
    done = call("compile", "--output", "the output", *options)
    assert (done.exit_code, done.stdout) == (0, "the output/pipeline.yaml\n")
    assert Path("the output/pipeline.yaml").read_text() == "spec"
    assert step in done.stderr
    printed = call("compile", "--output", "the output", "--json")
    assert json.loads(printed.stdout) == {"written": ["the output/pipeline.yaml"]}


def test_a_stale_file_is_exit_code_1(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "check", lambda: None)
    assert call("compile", "--check").stdout == "compiled/ is up to date\n"
    assert json.loads(call("compile", "--check", "--json").stdout)["up_to_date"] is True

    def stale() -> None:
        raise UsageError("compiled/ is stale: run `make compile`")

    monkeypatch.setattr(compiler, "check", stale)
    done = call("compile", "--check", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["up_to_date"] is False
    assert done.stderr == "error: compiled/ is stale: run `make compile`\n"
