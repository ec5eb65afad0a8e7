"""The trainer as a package: what gcloud asks for with it, and that it runs so."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from google.cloud import aiplatform_v1 as vertex

from components.dataset import folder
from components.dataset.manifest import read_manifest
from pipeline import trainer_package
from pipeline.local import emulator
from tests.fakes.custom_jobs import JobService, serve_jobs
from tests.fakes.model_service import PARENT
from tests.idx_files import write_idx_set

BUCKET = f"gs://{emulator.LOCAL_BUCKET}"
PACKAGE = f"{BUCKET}/trainer/{trainer_package.NAME}-{trainer_package.VERSION}.tar.gz"
IMAGE = "europe-docker.pkg.dev/vertex-ai/training/tf-cpu.2-17.py310:latest"
ARGUMENTS = [
    f"--train-files={BUCKET}/raw/train-*",
    f"--eval-files={BUCKET}/raw/t10k-*",
    "--train-steps=3",
    "--eval-steps=1",
    "--batch-size=32",
    "--verbosity=DEBUG",
]


def gcloud(service: JobService, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    pool = {
        "machine-type": "n1-standard-8",
        "replica-count": "1",
        "executor-image-uri": IMAGE,
        "python-module": trainer_package.MODULE,
    }
    _, project, _, region = PARENT.split("/")
    return subprocess.run(
        [
            *["gcloud", "ai", "custom-jobs", "create", f"--project={project}"],
            f"--region={region}",
            "--display-name=fashion-mnist",
            f"--python-package-uris={PACKAGE}",
            f"--worker-pool-spec={','.join(f'{key}={value}' for key, value in pool.items())}",
            f"--args={','.join(ARGUMENTS)}",
        ],
        env={
            **os.environ,
            "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM": service.url,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not shutil.which("gcloud"), reason="gcloud is not on this machine")
def test_gcloud_asks_for_the_job_and_the_job_trains(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_jobs() as service:
        done = gcloud(service, tmp_path)
    assert done.returncode == 0, done.stderr
    assert service.refused == []
    assert service.jobs == [
        vertex.CustomJob(
            display_name="fashion-mnist",
            job_spec=vertex.CustomJobSpec(
                worker_pool_specs=[
                    vertex.WorkerPoolSpec(
                        machine_spec=vertex.MachineSpec(machine_type="n1-standard-8"),
                        replica_count=1,
                        python_package_spec=vertex.PythonPackageSpec(
                            executor_image_uri=IMAGE,
                            package_uris=[PACKAGE],
                            python_module=trainer_package.MODULE,
                            args=ARGUMENTS,
                        ),
                    )
                ]
            ),
        )
    ]
    package = service.jobs[0].job_spec.worker_pool_specs[0].python_package_spec
    run_as_vertex_does(package, tmp_path, monkeypatch)


def run_as_vertex_does(
    package: vertex.PythonPackageSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installs the package from the bucket and runs its module, where no checkout is."""
    write_idx_set(tmp_path / "raw", 30, 10)
    with emulator.serve(tmp_path / "bucket") as host:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", host)
        folder.publish(tmp_path / "raw", f"{BUCKET}/raw")
        folder.publish_file(trainer_package.write(tmp_path / "dist"), package.package_uris[0])
        archive = folder.fetch_object(package.package_uris[0], tmp_path / "job" / "trainer.tar.gz")
        site = tmp_path / "site"
        install = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(site)]
        subprocess.run([sys.executable, "-m", "pip", *install, str(archive)], check=True)
        # Without `site` the editable install of the checkout is out of reach.
        path = os.pathsep.join([str(site), sysconfig.get_paths()["purelib"]])
        done = subprocess.run(
            [sys.executable, "-S", "-m", package.python_module, *package.args],
            cwd=tmp_path / "job",
            env={**os.environ, "PYTHONPATH": path, "AIP_MODEL_DIR": f"{BUCKET}/job/model/"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        folder.fetch(f"{BUCKET}/job", tmp_path / "out")
    read_manifest(tmp_path / "out" / "model")
    assert json.loads((tmp_path / "out" / "history.json").read_text())["steps"] == 3


def test_the_same_code_makes_the_same_package(tmp_path: Path) -> None:
    first = trainer_package.write(tmp_path / "a").read_bytes()
    assert trainer_package.write(tmp_path / "b").read_bytes() == first


def test_the_package_asks_for_the_pins_of_the_step() -> None:
    setup = trainer_package.files()["setup.py"].decode()
    assert "'tensorflow-cpu==2.21.0'" in setup
    assert 'python_requires=">=3.11"' in setup
