import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.train.trainer import arguments, data_files, task
from components.train.trainer.hyperparameters import PRESETS, Hyperparameters
from components.train.trainer.job import Outcome
from components.train.trainer.splits import Split
from tests.idx_files import FASHION

SHORT = ["--architecture=plain", "--filters", "2", "2", "--dense-units=0", "--train-steps=3"]


def test_every_hyperparameter_is_an_argument_that_overrides_the_preset() -> None:
    def chosen(*given: str) -> Hyperparameters:
        return arguments.hyperparameters(arguments.parse(given))

    assert chosen() == Hyperparameters()
    assert chosen("--num-epochs=7", "--train_batch_size", "8") == Hyperparameters(7, batch_size=8)
    expected = Hyperparameters.of({**PRESETS["best"], "epochs": 2})
    assert chosen("--preset", "best", "--epochs", "2") == expected
    for name, value in Hyperparameters().as_dict().items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            other = flag.replace("--", "--no-") if value else flag
            assert chosen(other) == Hyperparameters.of({name: not value})
            continue
        texts = [str(each) for each in (value if isinstance(value, list) else [value])]
        assert chosen(flag, *texts) == Hyperparameters()


def test_with_nothing_but_a_job_dir_it_trains_the_default_on_the_official_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: pytest.LogCaptureFixture
) -> None:
    given: dict[str, Any] = {}

    def run(train: Split, validation: Split, chosen: Any, outputs: Any, **others: Any) -> Any:
        given.update(others, train=train, validation=validation, chosen=chosen, outputs=outputs)
        return Outcome({"steps": 1}, {}, {}, chief=True)

    official = (Split("training", FASHION), Split("validation", FASHION))
    monkeypatch.setattr(data_files, "official", lambda seed, _: official if seed == 0 else None)
    monkeypatch.setattr(task, "run", run)
    assert task.main([f"--job-dir={tmp_path}"]) == 0
    assert (given["train"], given["validation"]) == official
    assert (given["chosen"], given["seed"], given["eval_steps"]) == (Hyperparameters(), 0, 0)
    assert given["outputs"].model.path == tmp_path / "model"
    assert json.loads((tmp_path / "history.json").read_text()) == {"steps": 1}
    assert said.messages == [f"the model is in {tmp_path}/model"]


@pytest.mark.parametrize(
    "given",
    [
        ["--train-files", "a/1", "a/2", "--eval-files", "b"],
        ["--train-files=a/1, a/2", "--eval-files", "b"],
        ["--train-files=a/1", "--eval-files=b,", "--train-files=a/2"],
    ],
)
def test_files_are_given_with_spaces_or_commas(given: list[str]) -> None:
    parsed = arguments.parse(given)
    assert (parsed.train_files, parsed.eval_files) == (["a/1", "a/2"], ["b"])


@pytest.mark.parametrize("field", dataclasses.fields(Hyperparameters), ids=lambda each: each.name)
def test_help_describes_each_hyperparameter_with_its_range_and_default(field: Any) -> None:
    text = " ".join(arguments.parser().format_help().split())
    entry = text.split(f" --{field.name.replace('_', '-')}")[1]
    assert field.metadata["help"].replace("`", "") in entry
    default = field.default
    if isinstance(default, bool):
        assert f" Default: {'on' if default else 'off'}." in entry
    elif choices := field.metadata["rule"].choices:
        assert f" Default: {default}." in entry
        assert f"{{{','.join(choices)}}}" in entry
    else:
        numbers = " ".join(map(str, default)) if isinstance(default, tuple) else default
        assert re.search(rf" A .*(at least|above) \d.*; default: {numbers}\.", entry)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "give --job-dir, or set AIP_MODEL_DIR"),
        (["--job-dir", "x", "--train-files", "a"], "give both --train-files and --eval-files"),
        (["--job-dir", "x", "--eval-steps", "-1"], "--eval-steps must be 0 or more"),
        (["--job-dir", "x", "--optimizer", "swim"], "invalid choice: 'swim'"),
        (["--job-dir", "s3://x"], "--job-dir: an address that starts with s3:// cannot be used"),
        (["--train-files", "a,GS://b", "--eval-files", "c"], "--train-files: an address that"),
        (["--first_layer_size=100"], "there is no --first-layer-size; use --filters and"),
        (["--eval-batch-size", "9"], "there is no --eval-batch-size; leave it out: "),
        (["--train-file", "a"], "there is no --train-file; use --train-files IMAGES LABELS"),
    ],
)
def test_wrong_use_is_exit_code_2(
    given: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        task.main(given)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert reason in line


def test_an_evaluator_ends_with_one_line_and_trains_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: pytest.LogCaptureFixture
) -> None:
    cluster = {"cluster": {"worker": ["a:1"]}, "task": {"type": "evaluator", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    assert task.main([f"--job-dir={tmp_path}"]) == 0
    assert said.messages == ["the evaluator has nothing to do: the chief validates each epoch"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["--dropout", "1"], "dropout is 1.0; it must be a number, at least 0 and below 1"),
        (["--seed=-1"], "seed is -1; it must be a whole number, at least 0 and below 2147483648"),
    ],
)
def test_a_value_out_of_range_is_wrong_use_in_one_line(
    given: list[str],
    line: str,
    files: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="2"):
        task.main([*files, f"--job-dir={tmp_path}", *given])
    assert capsys.readouterr().err == f"trainer.task: error: {line}\n"


@pytest.mark.skipif(not shutil.which("gcloud"), reason="gcloud is not on this machine")
def test_gcloud_trains_locally_with_the_tutorials_arguments(
    files: list[str], tmp_path: Path
) -> None:
    command = ["gcloud", "ai-platform", "local", "train", "--module-name", "trainer.task"]
    package = ["--package-path", str(Path(task.__file__).parent), "--job-dir", str(tmp_path)]
    given = [*files, "--eval-steps", "1", "--verbosity", "DEBUG", *SHORT]
    done = subprocess.run(
        [*command, *package, "--", *given],
        env={**os.environ, "CLOUDSDK_ML_ENGINE_LOCAL_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "hyperparameters {" in done.stdout + done.stderr
    assert (tmp_path / "model" / "saved_model.pb").is_file()
    assert json.loads((tmp_path / "history.json").read_text())["steps"] == 3


def test_help_does_not_load_tensorflow() -> None:
    check = (
        "import sys; import components.train.trainer.task as t; t.parser().format_help();"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
