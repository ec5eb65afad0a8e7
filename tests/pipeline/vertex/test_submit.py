"""What ``submit`` sends, compared with the service's own message types."""

import datetime
import json
import re
from typing import Any

import pytest
import yaml
from google.protobuf import json_format

from pipeline import compiler
from pipeline.checkout import git_revision
from pipeline.compiler import COMPILED, PIPELINE
from pipeline.specs import serving
from pipeline.specs.machine import Machine
from tests.fakes.cloud import Cloud
from tests.fakes.model_service import PARENT
from tests.fakes.project_services import ACCOUNT, UNIFORM
from tests.pipeline.vertex.conftest import Command

KEY = "projects/my-project/locations/europe-west4/keyRings/ring/cryptoKeys/key"
NETWORK = "projects/12345/global/networks/default"
IMAGE = f"europe-docker.pkg.dev/my-project/images/fashion-mnist@sha256:{'0' * 64}"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the committed files as fresh; that a stale one is refused has a test of its own."""
    monkeypatch.setattr(compiler, "check", lambda: None)


def as_dict(message: Any) -> dict[str, Any]:
    content: dict[str, Any] = json_format.MessageToDict(type(message).pb(message))
    return content


def sent(cloud: Cloud) -> dict[str, Any]:
    """The one job that was asked for."""
    (request,) = cloud.pipelines.created
    return as_dict(request)


def test_the_committed_file_is_sent_as_it_is(cloud: Cloud, command: Command) -> None:
    told = command("submit", "--bucket", "my-bucket")
    assert told.code == 0, told.error
    request = sent(cloud)
    assert request["parent"] == PARENT
    job = request["pipelineJob"]
    assert job["pipelineSpec"] == yaml.safe_load((COMPILED / PIPELINE).read_text())
    assert job["runtimeConfig"] == {
        "gcsOutputDirectory": "gs://my-bucket/fashion-mnist/pipeline-root",
        "parameterValues": {
            "bucket_uri": "gs://my-bucket/fashion-mnist",
            "git_revision": git_revision(),
        },
    }
    assert set(job) == {"displayName", "pipelineSpec", "labels", "runtimeConfig"}
    job_id = request["pipelineJobId"]
    assert re.fullmatch(r"fashion-mnist-\d{8}-\d{6}-[0-9a-f]{4}", job_id)
    assert f"fashion-mnist watch {job_id} --project my-project --region europe-west4" in told.out
    assert f"/locations/europe-west4/pipelines/runs/{job_id}?project=my-project" in told.out


def test_json_names_the_job_that_was_submitted(cloud: Cloud, command: Command) -> None:
    told = command("submit", "--bucket", "my-bucket", "--json")
    assert told.code == 0, told.error
    printed = json.loads(told.out)
    assert printed["job"] == sent(cloud)["pipelineJobId"]
    assert printed["name"] == f"{PARENT}/pipelineJobs/{printed['job']}"
    assert f"/pipelines/runs/{printed['job']}?project=my-project" in printed["page"]
    assert f"submitted {printed['job']}" in told.error


def test_json_names_the_schedule_that_was_made(cloud: Cloud, command: Command) -> None:
    told = command("submit", "--bucket", "my-bucket", "--schedule", "0 6 * * 1", "--json")
    assert told.code == 0, told.error
    printed = json.loads(told.out)
    assert printed["schedule"] in cloud.schedules.schedules
    assert printed["cron"] == "TZ=Etc/UTC 0 6 * * 1"


def test_every_submission_has_an_id_of_its_own(cloud: Cloud, command: Command) -> None:
    for _ in range(2):
        assert command("submit", "--bucket", "my-bucket").code == 0
    assert len(cloud.pipelines.jobs) == 2


def test_all_options_reach_the_request(cloud: Cloud, command: Command) -> None:
    told = command(
        *("submit", "--bucket", "gs://my-bucket", "--service-account", ACCOUNT),
        *("--network", NETWORK, "--encryption-key", KEY, "--label", "team=vision"),
        *("--preset", "tutorial", "-p", "epochs=3", "-p", "filters=[16, 32]"),
        *("-p", 'digests={"train-images-idx3-ubyte": "00"}', "--source", "gs://data/raw"),
    )
    assert told.code == 0, told.error
    job = sent(cloud)["pipelineJob"]
    assert job["serviceAccount"] == ACCOUNT
    assert job["network"] == NETWORK
    assert job["encryptionSpec"] == {"kmsKeyName": KEY}
    assert job["labels"]["team"] == "vision"
    assert job["labels"]["git_revision"] == git_revision()
    assert job["labels"]["git_dirty"] in {"true", "false"}
    values = job["runtimeConfig"]["parameterValues"]
    assert values["epochs"] == 3
    assert values["filters"] == [16, 32]
    assert values["architecture"] == "plain"
    assert values["digests"] == {"train-images-idx3-ubyte": "00"}
    assert values["source"] == "gs://data/raw"


def caching(spec: dict[str, Any]) -> set[str]:
    components = [spec["root"], *spec["components"].values()]
    tasks = [task for one in components for task in one.get("dag", {}).get("tasks", {}).items()]
    return {name for name, task in tasks if task.get("cachingOptions", {}).get("enableCache")}


def test_caching_is_the_specs_own_unless_it_is_switched_off(cloud: Cloud, command: Command) -> None:
    command("submit", "--bucket", "my-bucket")
    command("submit", "--bucket", "my-bucket", "--no-cache")
    usual, off = (as_dict(one)["pipelineJob"]["pipelineSpec"] for one in cloud.pipelines.created)
    assert {"ingest", "decode", "train"} <= caching(usual)
    assert not caching(usual) & {"find-champion", "package-model", "model-upload"}
    assert caching(off) == set()
    assert off["deploymentSpec"] == usual["deploymentSpec"]


def test_an_image_is_compiled_in_memory(cloud: Cloud, command: Command) -> None:
    told = command("submit", "--bucket", "my-bucket", "--image", IMAGE)
    assert told.code == 0, told.error
    executors = sent(cloud)["pipelineJob"]["pipelineSpec"]["deploymentSpec"]["executors"]
    assert executors["exec-train"]["container"]["image"] == IMAGE
    assert not any("pip install" in str(one) for one in executors.values())


def test_machine_flags_are_compiled_in_memory(
    cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Machine, str]] = []

    def build(machine: Machine, image: str) -> str:
        asked.append((machine, image))
        spec = yaml.safe_load((COMPILED / PIPELINE).read_text())
        spec["pipelineInfo"]["description"] = "on another machine"
        return yaml.safe_dump(spec)

    monkeypatch.setattr(compiler, "build_distributed", build, raising=False)
    told = command(
        *("submit", "--bucket", "my-bucket", "--accelerator", "nvidia_tesla_t4:2"),
        *("--replicas", "2", "--spot", "--image", IMAGE),
    )
    assert told.code == 0, told.error
    assert asked == [(Machine("n1-standard-16", "NVIDIA_TESLA_T4", 2, 2, True), IMAGE)]
    info = sent(cloud)["pipelineJob"]["pipelineSpec"]["pipelineInfo"]
    assert info["description"] == "on another machine"


def test_a_dry_run_prints_what_would_be_sent_and_sends_nothing(
    cloud: Cloud, command: Command
) -> None:
    arguments = ("submit", "--bucket", "my-bucket", "-p", "epochs=2", "--label", "team=vision")
    printed = json.loads(command(*arguments, "--dry-run").out)
    assert cloud.wire.calls == []
    command(*arguments)
    request = sent(cloud)
    for one in (printed, request):
        del one["pipelineJobId"], one["pipelineJob"]["displayName"]
    assert printed == request


def test_a_dry_run_shows_the_difference_to_the_committed_file(command: Command) -> None:
    same = command("submit", "--bucket", "my-bucket", "--dry-run")
    assert "the spec is as it is committed in compiled/" in same.error
    other = command("submit", "--bucket", "my-bucket", "--dry-run", "--image", IMAGE)
    assert f"+deploymentSpec.executors.exec-decode.container.image: {IMAGE}" in other.error


def test_a_schedule_is_sent_with_all_that_its_jobs_need(cloud: Cloud, command: Command) -> None:
    told = command(
        *("submit", "--bucket", "my-bucket", "--schedule", "0 6 * * 1", "--max-runs", "10"),
        *("--time-zone", "Europe/Berlin", "--service-account", ACCOUNT, "--encryption-key", KEY),
        *("--network", NETWORK, "--label", "team=vision"),
    )
    assert told.code == 0, told.error
    assert "scheduled as 4711" in told.out
    assert cloud.pipelines.created == []
    (request,) = cloud.schedules.created
    schedule = as_dict(request)["schedule"]
    assert schedule["cron"] == "TZ=Europe/Berlin 0 6 * * 1"
    assert schedule["maxRunCount"] == "10"
    assert schedule["maxConcurrentRunCount"] == "1"
    inner = schedule["createPipelineJobRequest"]
    assert "pipelineJobId" not in inner
    job = inner["pipelineJob"]
    assert job["pipelineSpec"] == yaml.safe_load((COMPILED / PIPELINE).read_text())
    assert job["serviceAccount"] == ACCOUNT
    assert job["network"] == NETWORK
    assert job["encryptionSpec"] == {"kmsKeyName": KEY}
    assert job["labels"]["team"] == "vision"


def test_a_dry_run_of_a_schedule_prints_the_schedule(cloud: Cloud, command: Command) -> None:
    told = command("submit", "--bucket", "my-bucket", "--schedule", "0 6 * * 1", "--dry-run")
    assert json.loads(told.out)["schedule"]["cron"] == "TZ=Etc/UTC 0 6 * * 1"
    assert cloud.wire.calls == []


def test_a_missing_bucket_is_made_when_asked_for(cloud: Cloud, command: Command) -> None:
    told = command("submit", "--bucket", "new-bucket", "--create-bucket")
    assert told.code == 0, told.error
    assert "made gs://new-bucket in europe-west4" in told.out
    (bucket,) = cloud.buckets.made
    assert bucket["location"].lower() == "europe-west4"
    made = bucket["iamConfiguration"]
    assert made["publicAccessPrevention"] == UNIFORM["publicAccessPrevention"]
    assert made["uniformBucketLevelAccess"]["enabled"] is True
    assert len(cloud.pipelines.created) == 1


def test_a_run_is_put_into_its_experiment(cloud: Cloud, command: Command) -> None:
    told = command("submit", "--bucket", "my-bucket", "--experiment", "first-tries")
    assert told.code == 0, told.error
    assert cloud.metadata.contexts["first-tries"].schema_title == "system.Experiment"
    (job,) = cloud.pipelines.jobs.values()
    assert cloud.metadata.children == {"first-tries": [job.job_detail.pipeline_run_context.name]}


@pytest.mark.parametrize(("image", "warned"), [((), True), (("serving_image=eu/own:1",), False)])
def test_a_serving_image_near_its_last_day_is_a_warning(
    image: tuple[str, ...],
    warned: bool,
    cloud: Cloud,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serving, "NOTICE", datetime.timedelta(days=100_000))
    given = [part for value in image for part in ("-p", value)]
    told = command("submit", "--bucket", "my-bucket", *given)
    assert told.code == 0, told.error
    assert ("warning: the serving image" in told.error) is warned
    assert len(cloud.pipelines.created) == 1
