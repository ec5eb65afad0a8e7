"""Training as a CustomJob: the request that Google's launcher makes of the compiled pipeline."""

import functools
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.cloud import aiplatform_v1 as vertex
from google_cloud_pipeline_components.container.v1.gcp_launcher import job_remote_runner
from kfp.dsl import Dataset

from components.embedding import read_pins
from components.train.trainer.hardware import ACCELERATORS
from pipeline import compiler
from pipeline.specs import spec as specs
from pipeline.specs import worker_pools
from pipeline.specs.machine import Machine
from tests.components.upload import launcher
from tests.fakes import vertex_grpc
from tests.fakes.vertex_grpc import Service
from tests.fakes.wire import PARENT

ACCOUNT = "trainer@my-project.iam.gserviceaccount.com"
NETWORK = "projects/12345/global/networks/training"
KEY = "projects/my-project/locations/europe-west4/keyRings/ring/cryptoKeys/key"
VALUES = {
    "{{$.pipeline_google_cloud_project_id}}": "my-project",
    "{{$.pipeline_google_cloud_location}}": "europe-west4",
    "{{$.pipeline_service_account}}": ACCOUNT,
    "{{$.pipeline_network}}": NETWORK,
    "{{$.pipeline_encryption_key_name}}": KEY,
    "{{$.pipeline_persistent_resource_id}}": "",
}
GPUS = Machine("g2-standard-24", "NVIDIA_L4", 2, replicas=3, spot=True)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(job_remote_runner, "_POLLING_INTERVAL_IN_SECONDS", 0.01)
    with vertex_grpc.serve_grpc() as fake:
        vertex_grpc.connect(monkeypatch, fake.address)
        yield fake


def test_each_accelerator_of_each_machine_has_a_share_of_a_batch() -> None:
    assert worker_pools.shares(load(built(GPUS))) == 6


@functools.cache
def built(machine: Machine, image: str = "") -> str:
    return compiler.build_distributed(machine, image)


def load(text: str) -> specs.Spec:
    spec: specs.Spec = yaml.load(text, Loader=specs.SAFE_LOADER)
    return spec


def launch(text: str, root: Path) -> dict[str, Any]:
    """Runs the launcher of the compiled pipeline's training, as Vertex AI does."""
    for placeholder, value in VALUES.items():
        text = text.replace(placeholder, value)
    spec = load(text)
    task = spec["root"]["dag"]["tasks"]["train"]
    declared = spec["root"]["inputDefinitions"]["parameters"]
    parameters = {name: definition.get("defaultValue") for name, definition in declared.items()}
    parameters["bucket_uri"] = "gs://bucket/fashion-mnist"
    for name, source in task["inputs"]["artifacts"].items():
        output = source["taskOutputArtifact"]
        parameters[f"{output['producerTask']}-{output['outputArtifactKey']}"] = Dataset(
            name=name,
            uri=f"gs://bucket/fashion-mnist/pipeline-root/12345/run-1/decode_678/{name}",
            metadata={"examples": 55000, "split": name, "class_counts": [5500] * 10},
        )
    spec["components"]["comp-root"] = {"dag": {"tasks": {"train": task}}}
    done: dict[str, Any] = launcher.run(spec, ("comp-root", "train"), parameters, root)
    return done


def committed() -> str:
    return (compiler.COMPILED / compiler.DISTRIBUTED_PIPELINE).read_text()


def test_the_committed_pipeline_asks_for_two_machines(service: Service, tmp_path: Path) -> None:
    output = launch(committed(), tmp_path / "task")
    create, look = service.requests
    spec = create.custom_job.job_spec
    pools = spec.worker_pool_specs
    assert create.parent == PARENT
    assert look.name == f"{PARENT}/customJobs/42"
    assert create == vertex.CreateCustomJobRequest(
        parent=PARENT,
        custom_job=vertex.CustomJob(
            display_name="train",
            job_spec=vertex.CustomJobSpec(
                worker_pool_specs=[
                    vertex.WorkerPoolSpec(
                        machine_spec=vertex.MachineSpec(machine_type="n1-standard-8"),
                        replica_count=1,
                        container_spec=pools[0].container_spec,
                    )
                ]
                * 2,
                scheduling=vertex.Scheduling(
                    timeout="86400s",
                    restart_job_on_worker_restart=True,
                    strategy=vertex.Scheduling.Strategy.STANDARD,
                ),
                service_account=ACCOUNT,
                network=NETWORK,
            ),
            encryption_spec=vertex.EncryptionSpec(kms_key_name=KEY),
        ),
    )
    assert pools[0].container_spec.image_uri == "python:3.11-slim"
    (resource,) = output["gcp_resources"]["resources"]
    assert resource["resourceUri"].endswith(f"/v1/{PARENT}/customJobs/42")


def test_the_workers_get_their_inputs_and_not_the_code_again(
    service: Service, tmp_path: Path
) -> None:
    launch(committed(), tmp_path / "task")
    container = service.requests[0].custom_job.job_spec.worker_pool_specs[1].container_spec
    flag, text, *function = container.args
    assert (flag, function) == ("--executor_input", ["--function_to_execute", "train"])
    given = json.loads(text)
    assert given["inputs"]["parameterValues"]["bucket_uri"] == "gs://bucket/fashion-mnist"
    assert given["inputs"]["artifacts"]["train_records"]["artifacts"][0]["metadata"]["examples"]
    # Twice escaped, it has to fit into the room that the compiler leaves for it.
    assert len(json.dumps(text)) < compiler.EXECUTOR_INPUT_BYTES
    assert worker_pools.PARAMETER not in text


def test_accelerators_and_spot_machines_are_asked_for(service: Service, tmp_path: Path) -> None:
    launch(built(GPUS), tmp_path / "task")
    spec = service.requests[0].custom_job.job_spec
    assert [pool.replica_count for pool in spec.worker_pool_specs] == [1, 2]
    for pool in spec.worker_pool_specs:
        assert pool.machine_spec == vertex.MachineSpec(
            machine_type="g2-standard-24",
            accelerator_type=vertex.AcceleratorType.NVIDIA_L4,
            accelerator_count=2,
        )
        assert {v.name: v.value for v in pool.container_spec.env}[ACCELERATORS] == "2 NVIDIA_L4"
    assert spec.scheduling.strategy == vertex.Scheduling.Strategy.SPOT
    assert spec.scheduling.restart_job_on_worker_restart


def pools_of(text: str) -> worker_pools.Pools:
    executor = load(text)["deploymentSpec"]["executors"]["exec-train"]
    return worker_pools.read(executor["container"]) or []


def test_machines_with_accelerators_install_what_drives_them() -> None:
    command = worker_pools.alone(pools_of(built(GPUS)))["command"][2]
    pins = {word for word in shlex.split(command) if "==" in word}
    assert set(read_pins("train_cuda")) <= pins
    assert any(pin.startswith("nvidia-cudnn") for pin in pins)


def test_with_an_image_nothing_is_installed() -> None:
    image = "europe-docker.pkg.dev/project/repository/image@sha256:" + "0" * 64
    text = built(GPUS, image)
    assert "pip install" not in text
    assert {pool["container_spec"]["image_uri"] for pool in pools_of(text)} == {image}


def without_train(text: str) -> specs.Spec:
    spec = load(text)
    del spec["components"]["comp-train"], spec["deploymentSpec"]["executors"]["exec-train"]
    return spec


def test_all_but_the_training_is_the_plain_pipeline() -> None:
    plain = (compiler.COMPILED / compiler.PIPELINE).read_text()
    assert without_train(committed()) == without_train(plain)


def test_the_workers_run_what_the_step_of_the_plain_pipeline_runs() -> None:
    plain = specs.load(compiler.COMPILED / compiler.PIPELINE)["deploymentSpec"]["executors"]
    alone, own = worker_pools.alone(pools_of(committed())), plain["exec-train"]["container"]
    for name in ("image", "command", "args"):
        assert alone[name] == own[name], name
