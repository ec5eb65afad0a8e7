import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.dataset import folder
from components.dataset.manifest import read_manifest
from components.train.trainer import data_files, task
from components.train.trainer.hyperparameters import PRESETS, Hyperparameters
from components.train.trainer.splits import Split
from pipeline.local import emulator
from tests.idx_files import write_idx_set

BUCKET = f"gs://{emulator.LOCAL_BUCKET}"
SHORT = ["--filters", "4", "8", "--batch-size", "32", "--train-steps", "3"]


def test_it_runs_as_a_program_and_says_three_lines(files: list[str], tmp_path: Path) -> None:
    named = {
        "AIP_MODEL_DIR": f"{tmp_path}/out/model/",
        "AIP_CHECKPOINT_DIR": f"{tmp_path}/kept",
        "AIP_TENSORBOARD_LOG_DIR": f"{tmp_path}/board",
    }
    done = subprocess.run(
        [sys.executable, "-m", "components.train.trainer.task", *files, *SHORT, "--seed", "5"],
        env={**os.environ, **named},
        capture_output=True,
        text=True,
        check=True,
    )
    read_manifest(tmp_path / "out" / "model")
    history = json.loads((tmp_path / "out" / "history.json").read_text())
    assert (history["steps"], history["parameters"]["seed"]) == (3, 5)
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["validation_accuracy"] == history["epochs"][-1]["validation_accuracy"]
    assert (tmp_path / "kept" / "ckpt-1.index").is_file()
    assert list((tmp_path / "board" / "train").glob("events.*"))
    assert done.stderr == ""
    starts = [line.split()[0] for line in done.stdout.splitlines()]
    assert starts == ["training", "epoch", "trained"]


def test_every_hyperparameter_is_an_argument_that_overrides_the_preset() -> None:
    def chosen(*given: str) -> Hyperparameters:
        return task.hyperparameters(task.parser().parse_args(given))

    assert chosen() == Hyperparameters()
    expected = Hyperparameters.of({**PRESETS["best"], "epochs": 2})
    assert chosen("--preset", "best", "--epochs", "2") == expected
    for name, value in Hyperparameters().as_dict().items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            assert chosen(flag) == Hyperparameters.of({name: not value})
            continue
        texts = [str(each) for each in (value if isinstance(value, list) else [value])]
        assert chosen(flag, *texts) == Hyperparameters()


def test_with_nothing_but_a_job_dir_it_trains_the_default_on_the_official_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}

    def run(train: Split, validation: Split, chosen: Any, outputs: Any, **others: Any) -> None:
        given.update(others, train=train, validation=validation, chosen=chosen, outputs=outputs)

    official = (Split("training"), Split("validation"))
    monkeypatch.setattr(data_files, "official", lambda seed: official if seed == 0 else None)
    monkeypatch.setattr(task, "run", run)
    assert task.main([f"--job-dir={tmp_path}"]) == 0
    assert (given["train"], given["validation"]) == official
    assert (given["chosen"], given["seed"], given["eval_steps"]) == (Hyperparameters(), 0, 0)
    assert given["outputs"].model.path == tmp_path / "model"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "give --job-dir, or set AIP_MODEL_DIR"),
        (["--job-dir", "x", "--train-files", "a"], "give both --train-files and --eval-files"),
        (["--job-dir", "x", "--eval-steps", "-1"], "--eval-steps must be 0 or more"),
        (["--job-dir", "x", "--optimizer", "swim"], "invalid choice: 'swim'"),
    ],
)
def test_wrong_use_is_exit_code_2(
    given: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        task.main(given)
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["--dropout", "1"], "dropout is 1.0; it must be a number, at least 0 and below 1"),
        (["--seed=-1"], "seed is -1; it must be a whole number, at least 0 and below 2147483648"),
    ],
)
def test_a_foreseen_error_is_one_line_and_exit_code_1(
    given: list[str],
    line: str,
    files: list[str],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert task.main([*files, f"--job-dir={tmp_path}", *given]) == 1
    assert caplog.messages == [line]


def test_raw_files_and_the_job_dir_may_be_in_a_bucket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx_set(tmp_path / "raw", 30, 10)
    with emulator.serve(tmp_path / "bucket") as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        folder.publish(tmp_path / "raw", f"{BUCKET}/raw")
        given = [f"--train-files={BUCKET}/raw/train-*", f"--eval-files={tmp_path}/raw/t10k-*"]
        assert task.main([*given, f"--job-dir={BUCKET}/job", *SHORT]) == 0
        folder.fetch(f"{BUCKET}/job", tmp_path / "job")
    read_manifest(tmp_path / "job" / "model")
    metrics = json.loads((tmp_path / "job" / "metrics.json").read_text())
    assert metrics["images_per_second"] > 0
    assert (tmp_path / "job" / "checkpoints" / "ckpt-1.index").is_file()
    assert list((tmp_path / "job" / "logs" / "train").glob("events.*"))


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
