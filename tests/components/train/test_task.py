import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from components.dataset.errors import DataError
from components.train.trainer import task
from components.train.trainer.task import Records
from components.train.trainer.util import Hyperparameters

SHORT = ["--filters", "4", "8", "--batch-size", "32", "--train-steps", "3"]


def arguments(train: Path, validation: Path, job: Path) -> list[str]:
    return [
        f"--train-files={train}/train-*.tfrecord",
        f"--eval-files={validation}/validation-*.tfrecord",
        f"--job-dir={job}",
    ]


def test_it_runs_by_itself_and_leaves_model_history_and_metrics(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "components.train.trainer.task"]
    given = [*arguments(train_directory, validation_directory, tmp_path), *SHORT, "--seed", "5"]
    done = subprocess.run([*command, *given], capture_output=True, text=True, check=True)
    assert (tmp_path / "model" / "saved_model.pb").is_file()
    assert (tmp_path / "model" / "manifest.json").is_file()
    history = json.loads((tmp_path / "history.json").read_text())
    assert (history["steps"], history["parameters"]["seed"]) == (3, 5)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["validation_accuracy"] == history["epochs"][-1]["validation_accuracy"]
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[1].startswith("epoch 1/1: loss ")
    assert lines[-1].startswith("trained ")
    assert len(lines) == 3


def test_each_hyperparameter_is_an_argument_with_the_one_default() -> None:
    parsed = task.parser().parse_args(["--train-files=a", "--eval-files=b", "--job-dir=c"])
    for field in dataclasses.fields(Hyperparameters):
        assert getattr(parsed, field.name) == field.default


def test_a_foreseen_error_is_one_line_and_exit_code_1(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    given = [*arguments(train_directory, validation_directory, tmp_path), "--dropout", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "components.train.trainer.task", *given],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == "dropout is 1.0; it must be from 0 up to, but not, 1\n"
    assert done.stderr == ""


def test_a_pattern_that_matches_nothing_is_named() -> None:
    with pytest.raises(DataError, match="nowhere"):
        Records.of_glob("/nowhere/*.tfrecord")


def test_the_digest_of_files_hangs_on_their_bytes(train: Records, tmp_path: Path) -> None:
    (tmp_path / "a.tfrecord").write_bytes(train.files[0].read_bytes())
    same = Records.of_glob(str(tmp_path / "*.tfrecord"))
    assert same.digest == Records.of_glob(str(train.files[0])).digest
    assert same.digest != Records.of_glob(str(train.files[1])).digest


def test_an_unfinished_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unfinished"):
        Records.of_directory(tmp_path)


def test_a_directory_without_records_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"files": []}')
    with pytest.raises(DataError, match=r"no \.tfrecord"):
        Records.of_directory(tmp_path)


def test_help_does_not_load_tensorflow() -> None:
    check = (
        "import sys; import components.train.trainer.task as t; t.parser();"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
