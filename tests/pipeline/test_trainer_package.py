import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from components.dataset import folder
from components.dataset.manifest import read_manifest
from pipeline import trainer_package
from pipeline.local import emulator
from tests.idx_files import write_idx_set

BUCKET = f"gs://{emulator.LOCAL_BUCKET}"
ARGUMENTS = [
    *("--train-files", f"{BUCKET}/raw/train-images-*", f"{BUCKET}/raw/train-labels-*"),
    f"--eval-files={BUCKET}/raw/t10k-*",
    *("--train-steps=3", "--eval-steps=1", "--batch-size=32", "--seed=5"),
    *("--architecture=plain", "--filters", "2", "2", "--dense-units=0"),
]


def test_the_package_trains_where_no_checkout_is_as_a_job_of_vertex_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_idx_set(tmp_path / "raw", 30, 10)
    archive = trainer_package.write(tmp_path / "dist")
    assert archive.name == f"{trainer_package.NAME}-{trainer_package.VERSION}.tar.gz"
    site = tmp_path / "site"
    install = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(site)]
    subprocess.run([sys.executable, "-m", "pip", *install, str(archive)], check=True)
    # Without `site` the editable install of the checkout is out of reach.
    path = os.pathsep.join([str(site), sysconfig.get_paths()["purelib"]])
    with emulator.serve(tmp_path / "bucket") as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        folder.publish(tmp_path / "raw", f"{BUCKET}/raw")
        done = subprocess.run(
            [sys.executable, "-S", "-m", trainer_package.MODULE, *ARGUMENTS],
            cwd=site,
            env={
                **os.environ,
                "PYTHONPATH": path,
                "AIP_MODEL_DIR": f"{BUCKET}/job/model/",
                "AIP_TENSORBOARD_LOG_DIR": f"{BUCKET}/board",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        folder.fetch(f"{BUCKET}/job", tmp_path / "out")
        assert folder.list_files(f"{BUCKET}/board/train")
    assert done.stderr == ""
    *lines, last = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["training", "epoch", "trained"]
    assert last == f"the model is in {BUCKET}/job/model"
    read_manifest(tmp_path / "out" / "model")
    history, metrics = (
        json.loads((tmp_path / "out" / f"{name}.json").read_text())
        for name in ("history", "metrics")
    )
    assert (history["steps"], history["parameters"]["seed"]) == (3, 5)
    assert metrics["validation_accuracy"] == history["epochs"][-1]["validation_accuracy"]


def test_it_is_written_to_a_folder_of_this_machine_only(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipeline.trainer_package", "gs://bucket/dist"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "gs://bucket/dist is not on this machine; give a path" in done.stderr
    assert not list(tmp_path.iterdir())


def test_the_same_code_makes_the_same_package_with_the_pins_of_the_step(tmp_path: Path) -> None:
    first = trainer_package.write(tmp_path / "a").read_bytes()
    assert trainer_package.write(tmp_path / "b").read_bytes() == first
    setup = trainer_package.files()["setup.py"].decode()
    assert "'tensorflow-cpu==2.21.0'" in setup
    assert 'python_requires=">=3.11"' in setup
