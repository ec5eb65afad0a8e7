import dataclasses
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
from components.train.trainer.presets import PRESETS
from components.train.trainer.splits import Split
from components.train.trainer.util import Hyperparameters
from pipeline.local import emulator
from tests.idx_files import write_idx_set

BUCKET = f"gs://{emulator.LOCAL_BUCKET}"
needs_gcloud = pytest.mark.skipif(
    not shutil.which("gcloud"), reason="gcloud is not on this machine"
)
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


def test_each_hyperparameter_is_an_argument_and_without_any_all_have_their_defaults() -> None:
    known = task.parser()
    assert task.hyperparameters(known.parse_args([])) == Hyperparameters()
    flags = {flag for action in known._actions for flag in action.option_strings}
    for field in dataclasses.fields(Hyperparameters):
        assert "--" + field.name.replace("_", "-") in flags


def test_with_nothing_but_a_job_dir_it_trains_the_default_on_the_official_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    official = (Split("training"), Split("validation"))
    given: list[Any] = []

    monkeypatch.setattr(data_files, "official", lambda seed: official if seed == 0 else None)

    def run(*positional: Any, eval_steps: int) -> None:
        assert eval_steps == 0
        given.append(positional)

    monkeypatch.setattr(task, "run", run)
    assert task.main([f"--job-dir={tmp_path}"]) == 0
    ((*found, hyperparameters, outputs),) = given
    assert tuple(found) == official
    assert hyperparameters == Hyperparameters()
    assert outputs.model.path == tmp_path / "model"


def test_an_argument_changes_the_value_of_the_preset() -> None:
    given = ["--preset", "best", "--epochs", "2"]
    chosen = task.hyperparameters(task.parser().parse_args(given))
    assert chosen == Hyperparameters(**{**PRESETS["best"], "epochs": 2})


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_is_a_valid_set_of_hyperparameters(name: str) -> None:
    assert Hyperparameters(**PRESETS[name]) != Hyperparameters()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "give --job-dir, or set AIP_MODEL_DIR"),
        (["--job-dir", "x", "--train-files", "a"], "give both --train-files and --eval-files"),
        (["--job-dir", "x", "--eval-steps", "-1"], "--eval-steps must be 0 or more"),
        (["--job-dir", "x", "--verbosity", "LOUD"], "invalid choice: 'LOUD'"),
    ],
)
def test_wrong_use_is_exit_code_2(
    given: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        task.main(given)
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


def test_the_folders_of_vertex_are_used_without_a_job_dir(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    named = {
        "AIP_MODEL_DIR": f"{tmp_path}/out/model/",
        "AIP_CHECKPOINT_DIR": f"{tmp_path}/kept",
        "AIP_TENSORBOARD_LOG_DIR": f"{tmp_path}/board",
    }
    given = [*arguments(train_directory, validation_directory, tmp_path)[:2], *SHORT]
    command = [sys.executable, "-m", "components.train.trainer.task", *given]
    subprocess.run(command, env={**os.environ, **named}, check=True)
    assert (tmp_path / "out" / "model" / "saved_model.pb").is_file()
    assert (tmp_path / "out" / "metrics.json").is_file()
    assert (tmp_path / "kept" / "ckpt-1.index").is_file()
    assert list((tmp_path / "board" / "train").glob("events.*"))


def test_raw_files_and_folders_in_a_bucket_do_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx_set(tmp_path / "raw", 30, 10)
    with emulator.serve(tmp_path / "bucket") as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        folder.publish(tmp_path / "raw", f"{BUCKET}/raw")
        given = [
            f"--train-files={BUCKET}/raw/train-*",
            f"--eval-files={tmp_path}/raw/t10k-*",
            f"--job-dir={BUCKET}/job",
        ]
        assert task.main([*given, *SHORT]) == 0
        folder.fetch(f"{BUCKET}/job", tmp_path / "job")
    read_manifest(tmp_path / "job" / "model")
    metrics = json.loads((tmp_path / "job" / "metrics.json").read_text())
    assert metrics["images_per_second"] > 0
    assert (tmp_path / "job" / "checkpoints" / "ckpt-1.index").is_file()
    assert list((tmp_path / "job" / "logs" / "train").glob("events.*"))


def gcloud(job: Path, *options: str, given: list[str]) -> "subprocess.CompletedProcess[str]":
    command = ["gcloud", "ai-platform", "local", "train", "--module-name", "trainer.task"]
    package = Path(task.__file__).parent
    return subprocess.run(
        [*command, "--package-path", package, "--job-dir", job, *options, "--", *given],
        env={**os.environ, "CLOUDSDK_ML_ENGINE_LOCAL_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )


def gcloud_train(job: Path, *options: str, given: list[str]) -> str:
    done = gcloud(job, *options, given=given)
    assert done.returncode == 0, done.stderr
    assert (job / "model" / "saved_model.pb").is_file()
    return done.stdout + done.stderr


def steps(job: Path) -> int:
    return int(json.loads((job / "history.json").read_text())["steps"])


@needs_gcloud
def test_gcloud_trains_locally_with_the_tutorials_arguments(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    files = arguments(train_directory, validation_directory, tmp_path)[:2]
    given = [*files, "--eval-steps", "1", "--verbosity", "DEBUG", *SHORT]
    assert "hyperparameters {" in gcloud_train(tmp_path, given=given)
    assert steps(tmp_path) == 3


@needs_gcloud
@pytest.mark.real_data
def test_gcloud_trains_locally_on_the_official_files_without_naming_them(tmp_path: Path) -> None:
    said = gcloud_train(tmp_path, given=SHORT)
    assert "training on 55,000 examples" in said
    assert steps(tmp_path) == 3


@needs_gcloud
def test_gcloud_trains_with_several_workers(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    files = arguments(train_directory, validation_directory, tmp_path)[:2]
    workers = ["--worker-count", "1", "--parameter-server-count", "0"]
    gcloud_train(tmp_path, "--distributed", *workers, given=[*files, *SHORT])
    assert steps(tmp_path) == 3


@needs_gcloud
def test_the_parameter_servers_that_gcloud_starts_unasked_are_refused_with_the_option_to_give(
    train_directory: Path, validation_directory: Path, tmp_path: Path
) -> None:
    files = arguments(train_directory, validation_directory, tmp_path)[:2]
    done = gcloud(tmp_path / "job", "--distributed", "--worker-count", "1", given=[*files, *SHORT])
    assert done.returncode == 1
    said = (done.stdout + done.stderr).splitlines()
    refusal = "start it without them (gcloud's option: --parameter-server-count 0)"
    # A chief, a worker and two parameter servers.
    assert [line.endswith(refusal) for line in said] == [True] * 4
    assert not (tmp_path / "job").exists()


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


def test_help_does_not_load_tensorflow() -> None:
    check = (
        "import sys; import components.train.trainer.task as t; t.parser();"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
