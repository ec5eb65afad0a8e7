"""Submitting a run: what is sent, what is refused before that, and what is asked of a cluster."""

import json
from pathlib import Path
from typing import Any

import pytest

from components.dataset.description import Description
from pipeline.compiler import COMPILED, KUBEFLOW_PIPELINE, PIPELINE
from pipeline.specs import shared_code
from pipeline.specs import spec as specs
from tests.fakes.kubeflow import Kubeflow
from tests.pipeline.kubeflow import workflows
from tests.pipeline.kubeflow.conftest import Command

UNVERIFIED = "allow_unverified=true"
MLFLOW = "http://mlflow.mlflow.svc:5000"


def test_the_committed_file_is_sent_with_typed_parameters(
    kubeflow: Kubeflow, command: Command
) -> None:
    done = command("submit", "-p", "epochs=3", "-p", "min_recall=0.5", "--tracking-uri", MLFLOW)
    assert done.code == 0, done.error
    (sent,) = kubeflow.created
    committed = specs.load(COMPILED / KUBEFLOW_PIPELINE)
    assert sent["pipeline_spec"]["root"]["dag"] == committed["root"]["dag"]
    assert specs.digest(sent["pipeline_spec"]) == specs.digest(committed)
    parameters = sent["runtime_config"]["parameters"]
    assert parameters["hyperparameters"]["epochs"] == 3
    assert (parameters["min_recall"], parameters["tracking_uri"]) == (0.5, MLFLOW)
    assert len(parameters["git_revision"]) == 40
    (experiment,) = kubeflow.experiments.values()
    assert (experiment["display_name"], sent["experiment_id"]) == (
        "fashion-mnist",
        experiment["experiment_id"],
    )
    name, (run,) = sent["display_name"], kubeflow.runs
    assert done.out.splitlines() == [
        f"submitted {name}: {kubeflow.wire.url}/#/runs/details/{run}",
        f"`fashion-mnist kubeflow watch {name} --host {kubeflow.wire.url}` follows it",
    ]
    assert command("submit", "--json").code == 0
    assert len(kubeflow.experiments) == 1


def test_a_dry_run_prints_what_would_be_sent_and_needs_no_installation(command: Command) -> None:
    done = command("submit", "--dry-run", "--no-cache", "--pipeline-root", "s3://b/p")
    assert done.code == 0, done.error
    request = json.loads(done.out)["request"]
    assert request["runtime_config"]["pipeline_root"] == "s3://b/p"
    tasks = request["pipeline_spec"]["root"]["dag"]["tasks"].values()
    assert not any(task["cachingOptions"].get("enableCache") for task in tasks)
    assert "-root.dag.tasks.train.cachingOptions.enableCache: True" in done.error
    assert "the spec is as committed in compiled/" in command("submit", "--dry-run").error
    done = command("submit", "--dry-run", "--token-file", "missing")
    assert (done.code, done.error) == (
        2,
        "error: --token-file missing: no such file or directory\n",
    )


def test_a_submitted_run_is_followed_on_request(kubeflow: Kubeflow, command: Command) -> None:
    kubeflow.script = list(workflows.PASSED)
    done = command("submit", "--wait", "--require-upload", "--every", "0.05")
    assert done.code == 0, done.error
    assert "Upload: done in " in done.out


def _executors(sent: dict[str, Any]) -> dict[str, Any]:
    platform = sent["pipeline_spec"]["platform_spec"]
    found: dict[str, Any] = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return found


def test_what_a_cluster_needs_becomes_the_platform_part(
    kubeflow: Kubeflow, command: Command
) -> None:
    done = command(
        *("submit", "--service-account", "runner", "--image", "ghcr.io/me/steps:1"),
        *("--image-pull-secret", "ghcr", "--node-selector", "pool=ml", "--toleration", "ml"),
        *("--toleration", "spot=true:NoSchedule", "--secret-env", "mlflow:user=MLFLOW_USER"),
        *("--secret-env", "mlflow:password=MLFLOW_PASSWORD"),
        *("--secret-env", "mlflow:password=PASSWORD", "--env", "HTTPS_PROXY=http://proxy:3128"),
    )
    assert done.code == 0, done.error
    (sent,) = kubeflow.created
    assert sent["service_account"] == "runner"
    executors = _executors(sent)
    pipeline = sent["pipeline_spec"]["pipeline_spec"]
    assert set(executors) == set(pipeline["deploymentSpec"]["executors"])
    for config in executors.values():
        assert config["imagePullSecret"][0]["secretName"] == "ghcr"
        assert config["nodeSelector"] == {"labels": {"pool": "ml"}}
        assert config["tolerations"] == [
            {"key": "ml", "operator": "Exists"},
            {"key": "spot", "operator": "Equal", "value": "true", "effect": "NoSchedule"},
        ]
        secrets = [(one["secretName"], one["keyToEnv"]) for one in config["secretAsEnv"]]
        assert secrets == [
            ("mlflow", [{"secretKey": "user", "envVar": "MLFLOW_USER"}]),
            ("mlflow", [{"secretKey": "password", "envVar": "MLFLOW_PASSWORD"}]),
            ("mlflow", [{"secretKey": "password", "envVar": "PASSWORD"}]),
        ]
    for executor in pipeline["deploymentSpec"]["executors"].values():
        variables = executor["container"]["env"]
        assert variables == [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}]
    train = pipeline["deploymentSpec"]["executors"]["exec-train"]
    assert train["container"]["image"] == "ghcr.io/me/steps:1"
    assert "pip install" not in json.dumps(train)


def test_gpus_are_for_the_training_alone(kubeflow: Kubeflow, command: Command) -> None:
    done = command(
        *("submit", "--gpu", "2", "--memory", "8G", "--node-selector", "gpu=l4"),
    )
    assert done.code == 0, done.error
    (sent,) = kubeflow.created
    pipeline, executors = sent["pipeline_spec"]["pipeline_spec"], _executors(sent)
    assert executors == {
        "exec-train": {
            "nodeSelector": {"labels": {"gpu": "l4"}},
            "tolerations": [
                {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
            ],
        }
    }
    parted = shared_code.separate(pipeline)
    container = parted["deploymentSpec"]["executors"]["exec-train"]["container"]
    resources = container["resources"]
    assert resources["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert resources["accelerator"]["resourceCount"] == "2"
    assert (resources["resourceMemoryLimit"], resources["resourceMemoryRequest"]) == ("8G", "8G")
    assert "resourceCpuLimit" not in resources
    assert "nvidia-cudnn" in json.dumps(container["command"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--gpu", "1:amd.com/gpu"), "--gpu 1:amd.com/gpu: give N, or N:RESOURCE of NVIDIA's"),
        (("--gpu", "nvidia"), "--gpu nvidia: give N, or N:RESOURCE of NVIDIA's, as in 1:nvidia"),
        (("--cpu", "4 cores"), "--cpu 4 cores: give a number of CPUs"),
        (("--cpu", "0.0"), "--cpu 0.0: give a number of CPUs"),
        (("--memory", "8"), "--memory 8: give an amount, as in 8G"),
        (("--memory", "1.5G"), "--memory 1.5G: give an amount, as in 8G"),
        (("--env", "A B=1"), "--env A B=1: give NAME=VALUE"),
        (("--env", "API_TOKEN=s3cret"), "plain text; put API_TOKEN into a secret, and give --se"),
        (("--env", "HTTPS_PROXY=http://me:s3cret@proxy"), "put HTTPS_PROXY into a secret"),
        (("--toleration", "a=b:Never"), "--toleration a=b:Never: give KEY, KEY=VALUE or either"),
        (("--node-selector", "l4"), "--node-selector l4: give a label as KEY=VALUE"),
        (("--secret-env", "mlflow=X"), "--secret-env mlflow=X: give SECRET:KEY=VARIABLE"),
        (("--service-account", "a@b.com"), "the name of a service account of Kubernetes"),
        (("--pipeline-root", "/data"), "--pipeline-root /data: give an address of a folder"),
        (("--pipeline-root", "s3://b/p?key=s3cret"), "--pipeline-root is stored as plain text"),
        (("--image", "ghcr.io/Me/steps:1"), "give the image in small letters"),
        (("--image", "Me/steps"), "give the image in small letters"),
        (("-p", "validation_examples=-2"), "expected 0 or more, or -1"),
        (("--image", ""), "--image '': give the image"),
        (("--require-upload",), "--require-upload needs --wait"),
        (("--catch-up",), "--catch-up needs --schedule"),
        (("--schedule", "0 6 * * 1", "--wait"), "--wait follows one run"),
        (("--schedule", "0 6 * * 7"), "write Sunday as 0 or SUN"),
        (("--schedule", "0 0 6 * * 1"), "give five plain fields"),
        (("--schedule", "TZ=UTC 0 6 * * 1"), "one time zone for all schedules"),
        (("--spec", str(COMPILED / PIPELINE)), "it is compiled for Vertex AI; give compiled/"),
        (("-p", "bucket_uri=gs://b"), "no parameter 'bucket_uri'"),
        (("-p", "epochs=x"), "epochs takes a whole number"),
        (("-p", "champion_alias=No!"), "champion_alias"),
        (("--tracking-uri", "http://localhost:5000"), "on a cluster that is the step itself"),
        (("--tracking-uri", "http://me:s3cret@mlflow"), "has a user or a password"),
        (("--tracking-uri", "sqlite:///x"), "is no address of a server"),
        (("-p", "champion_uri=s3://b/x?sig=s3cret"), "has a user, a password or a query"),
        (("-p", "champion_uri=/models/1"), "give an address that the cluster reads: s3://"),
    ],
    ids=lambda given: " ".join(given[:2]) if isinstance(given, tuple) else "",
)
def test_a_wrong_value_is_refused_before_anything_is_sent(
    options: tuple[str, ...], said: str, kubeflow: Kubeflow, command: Command
) -> None:
    done = command("submit", *options)
    assert done.code == 2, done.out
    assert done.error.count("\n") == 1
    assert said in done.error
    assert "s3cret" not in done.error
    assert kubeflow.wire.calls == []


def test_a_folder_of_this_machine_is_refused_with_the_way_out(
    command: Command, tmp_path: Path
) -> None:
    classes = ("circle", "square")
    Description("shapes", classes=classes, height=28, width=28, channels=1).write(tmp_path)
    done = command("submit", "--dry-run", "--source", str(tmp_path), "-p", UNVERIFIED)
    assert done.code == 2
    assert "a step on a cluster cannot read a directory of this machine" in done.error
    assert f"--source gs://BUCKET/source --dataset {tmp_path}/dataset.json" in done.error
