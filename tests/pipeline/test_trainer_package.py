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
    f"--train-files={BUCKET}/raw/train-*",
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
    starts = [line.split()[0] for line in done.stdout.splitlines()]
    assert starts == ["training", "epoch", "trained"]
    read_manifest(tmp_path / "out" / "model")
    history, metrics = (
        json.loads((tmp_path / "out" / f"{name}.json").read_text())
        for name in ("history", "metrics")
    )
    assert (history["steps"], history["parameters"]["seed"]) == (3, 5)
    assert metrics["validation_accuracy"] == history["epochs"][-1]["validation_accuracy"]


def test_the_same_code_makes_the_same_package_with_the_pins_of_the_step(tmp_path: Path) -> None:
    first = trainer_package.write(tmp_path / "a").read_bytes()
    assert trainer_package.write(tmp_path / "b").read_bytes() == first
    setup = trainer_package.files()["setup.py"].decode()
    assert "'tensorflow-cpu==2.21.0'" in setup
    assert 'python_requires=">=3.11"' in setup
