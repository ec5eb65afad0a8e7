"""What ``submit`` sends, compared with the service's own message types, and what it refuses."""

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.oauth2.credentials import Credentials

from components.upload import containers
from pipeline import compiler
from pipeline.checkout import git_revision
from pipeline.compiler import COMPILED, DISTRIBUTED_PIPELINE, PIPELINE
from pipeline.errors import UsageError
from pipeline.specs import parameters
from pipeline.specs import spec as specs
from pipeline.specs.machine import Machine
from pipeline.vertex import request, target
from tests import foreign, planted
from tests.fakes.cloud import ACCOUNT, Cloud
from tests.fakes.wire import NUMBERED, PARENT, Fault, as_json
from tests.idx_files import described, write_idx_set
from tests.pipeline.vertex.conftest import Command

KEY = "projects/my-project/locations/europe-west4/keyRings/ring/cryptoKeys/key"
NETWORK = "projects/12345/global/networks/default"
IMAGE = f"europe-docker.pkg.dev/my-project/images/fashion-mnist@sha256:{'0' * 64}"
IDENTITY = ("--service-account", ACCOUNT, "--network", NETWORK, "--encryption-key", KEY)
WEEKLY = ("--schedule", "0 6 * * 1")


def sent(cloud: Cloud) -> dict[str, Any]:
    (request,) = cloud.pipelines.created
    return as_json(request)


def test_the_committed_file_is_sent_unchanged(cloud: Cloud, submit: Command) -> None:
    done = submit()
    assert done.code == 0, done.error
    request = sent(cloud)
    assert request["parent"] == PARENT
    job = request["pipelineJob"]
    assert job["pipelineSpec"] == yaml.safe_load((COMPILED / PIPELINE).read_text())
    own = {"bucket_uri": "gs://my-bucket/fashion-mnist", "git_revision": git_revision()}
    assert job["runtimeConfig"] == {
        "gcsOutputDirectory": "gs://my-bucket/fashion-mnist/pipeline-root",
        "parameterValues": parameters.resolve(specs.load(COMPILED / PIPELINE), {}, own=own),
    }
    assert set(job) == {"displayName", "pipelineSpec", "labels", "runtimeConfig"}
    job_id = request["pipelineJobId"]
    assert re.fullmatch(r"fashion-mnist-\d{8}-\d{6}-[0-9a-f]{4}", job_id)
    assert f"fashion-mnist watch {job_id} --project my-project --region europe-west4" in done.out
    assert f"/locations/europe-west4/pipelines/runs/{job_id}?project=my-project" in done.out


def test_own_data_in_a_bucket_go_with_their_description_and_name_the_model(
    cloud: Cloud, submit: Command, tmp_path: Path
) -> None:
    digests = write_idx_set(tmp_path, 2, 1)
    about = {**described(digests).as_dict(), "name": "My shoes"}
    (tmp_path / "dataset.json").write_text(json.dumps(about))
    given = ("--source", "gs://data/shoes", "--dataset", str(tmp_path / "dataset.json"))
    done = submit("--dry-run", *given)
    assert done.code == 0, done.error
    values = json.loads(done.out)["pipelineJob"]["runtimeConfig"]["parameterValues"]
    assert (values["dataset"], values["source"]) == (about, "gs://data/shoes")
    assert values["model_name"] == "my-shoes"
    copied = submit("--source", str(tmp_path))
    assert f"--source gs://my-bucket/source --dataset {tmp_path}/dataset.json" in copied.error


def test_json_names_the_job_or_the_schedule(cloud: Cloud, submit: Command) -> None:
    done = submit("--json")
    printed = json.loads(done.out)
    assert printed["name"] == f"{NUMBERED}/pipelineJobs/{sent(cloud)['pipelineJobId']}"
    assert f"submitted {printed['job']}" in done.error
    printed = json.loads(submit("--json", *WEEKLY).out)
    assert printed["schedule"] in cloud.schedules.schedules
    assert printed["cron"] == "TZ=Etc/UTC 0 6 * * 1"


def test_all_options_reach_the_request(cloud: Cloud, command: Command) -> None:
    done = command(
        *("submit", "--bucket", "gs://my-bucket", *IDENTITY, "--label", "team=vision"),
        *("--preset", "tutorial", "-p", "epochs=3", "-p", "filters=[16, 32]"),
        *("-p", "min_accuracy=0.8", "--source", "gs://data/raw"),
    )
    assert done.code == 0, done.error
    job = sent(cloud)["pipelineJob"]
    assert job["serviceAccount"] == ACCOUNT
    assert job["network"] == NETWORK
    assert job["encryptionSpec"] == {"kmsKeyName": KEY}
    assert job["labels"]["team"] == "vision"
    assert job["labels"]["git_revision"] == git_revision()
    assert job["labels"]["git_dirty"] in {"true", "false"}
    values = parameters.flat(job["runtimeConfig"]["parameterValues"])
    expected = {
        "epochs": 3,
        "filters": [16, 32],
        "architecture": "plain",
        "min_accuracy": 0.8,
        "source": "gs://data/raw",
    }
    assert expected.items() <= values.items()


def test_caching_follows_the_spec_unless_it_is_switched_off(cloud: Cloud, submit: Command) -> None:
    submit()
    submit("--no-cache")
    usual, off = (as_json(one)["pipelineJob"]["pipelineSpec"] for one in cloud.pipelines.created)
    assert '"enableCache": true' in json.dumps(usual)
    assert '"enableCache": true' not in json.dumps(off)
    assert off["deploymentSpec"] == usual["deploymentSpec"]


def test_machine_options_are_compiled_in_memory(
    cloud: Cloud, submit: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[tuple[Machine, str]] = []

    def build(machine: Machine, image: str) -> str:
        compiled.append((machine, image))
        text = (COMPILED / PIPELINE).read_text()
        return text.replace("description: Train an", "description: Elsewhere an", 1)

    monkeypatch.setattr(compiler, "build_distributed", build)
    done = submit(
        *("--accelerator", "nvidia_tesla_t4:2", "--replicas", "2", "--spot", "--image", IMAGE)
    )
    assert done.code == 0, done.error
    assert compiled == [(Machine("n1-standard-16", "NVIDIA_TESLA_T4", 2, 2, True), IMAGE)]
    info = sent(cloud)["pipelineJob"]["pipelineSpec"]["pipelineInfo"]
    assert info["description"].startswith("Elsewhere")


def test_a_dry_run_prints_what_would_be_sent_and_sends_nothing(
    cloud: Cloud, submit: Command
) -> None:
    options = ("-p", "epochs=2", "--label", "team=vision")
    done = submit(*options, "--dry-run")
    assert "the spec is as committed in compiled/" in done.error
    assert cloud.wire.calls == []
    printed = json.loads(done.out)
    submit(*options)
    request = sent(cloud)
    for one in (printed, request):
        del one["pipelineJobId"], one["pipelineJob"]["displayName"]
    assert printed == request
    scheduled = json.loads(submit(*WEEKLY, "--dry-run").out)
    assert scheduled["schedule"]["cron"] == "TZ=Etc/UTC 0 6 * * 1"
    assert cloud.schedules.created == []


def test_a_dry_run_shows_the_difference_to_the_committed_file(submit: Command) -> None:
    done = submit("--dry-run", "--image", IMAGE)
    assert f"+deploymentSpec.executors.exec-decode.container.image: {IMAGE}" in done.error


def test_a_schedule_is_sent_with_all_that_its_jobs_need(cloud: Cloud, submit: Command) -> None:
    done = submit(*WEEKLY, "--max-runs", "10", "--time-zone", "Europe/Berlin", *IDENTITY)
    assert done.code == 0, done.error
    assert "scheduled as 4711" in done.out
    assert cloud.pipelines.created == []
    (request,) = cloud.schedules.created
    schedule = as_json(request)["schedule"]
    assert schedule["cron"] == "TZ=Europe/Berlin 0 6 * * 1"
    assert schedule["maxRunCount"] == "10"
    assert schedule["maxConcurrentRunCount"] == "1"
    inner = schedule["createPipelineJobRequest"]
    assert "pipelineJobId" not in inner
    job = inner["pipelineJob"]
    assert job["pipelineSpec"] == yaml.safe_load((COMPILED / PIPELINE).read_text())
    assert (job["serviceAccount"], job["network"]) == (ACCOUNT, NETWORK)
    assert job["encryptionSpec"] == {"kmsKeyName": KEY}


def test_a_run_is_added_to_its_experiment(cloud: Cloud, submit: Command) -> None:
    done = submit("--experiment", "first-tries")
    assert done.code == 0, done.error
    assert cloud.metadata.contexts["first-tries"].schema_title == "system.Experiment"
    (job,) = cloud.pipelines.jobs.values()
    assert cloud.metadata.children == {"first-tries": [job.job_detail.pipeline_run_context.name]}


@pytest.mark.parametrize(
    ("days", "code", "said"),
    [
        (61, 0, ""),
        (60, 0, "warning: the serving image us-docker"),
        (60, 0, ", 60 more days: then leave out serving_image"),
        (-1, 2, " only: leave out serving_image, or give another one"),
    ],
)
def test_a_serving_image_is_a_warning_before_its_last_day_and_an_error_after_it(
    days: int, code: int, said: str, submit: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request, "NOTICE", datetime.timedelta(days=60))
    last = datetime.datetime.now(tz=datetime.UTC).date() + datetime.timedelta(days=days)
    monkeypatch.setitem(containers.LAST_DAYS, containers.PREBUILT, last)
    done = submit("--dry-run", "-p", f"serving_image={containers.PREBUILT}")
    assert done.code == code
    assert (said in done.error) if said else ("warning" not in done.error)
    assert "warning" not in submit("--dry-run").error


def test_ones_own_serving_image_is_named_once(
    submit: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def image(*options: str) -> str:
        sent = json.loads(submit("--dry-run", *options).out)
        given: str = sent["pipelineJob"]["runtimeConfig"]["parameterValues"]["serving_image"]
        return given

    for variable, used in (("", containers.STOCK), ("eu/own:1", "eu/own:1")):
        monkeypatch.setenv(request.SERVING_IMAGE, variable)
        assert image() == used
    assert image("-p", "serving_image=eu/other:2") == "eu/other:2"
    monkeypatch.setenv(request.SERVING_IMAGE, "my image")
    assert "FASHION_MNIST_SERVING_IMAGE=my image: give the image with" in submit().error


WRONG: dict[tuple[str, ...], str] = {
    ("-p", "epoch=3"): "no parameter 'epoch'; did you mean epochs?",
    ("--source", "/data"): "cannot read a directory of this machine; copy it, `gcloud storage cp",
    ("--source", "/my data/"): "`gcloud storage cp '/my data'/* gs://my-bucket/source/`",
    ("--service-account", "$(id)@p.iam.gserviceaccount.com"): "give its address",
    ("--label", "team"): "give key=value",
    ("--label", "version=1.0"): "(no dot: write 1_0)",
    ("--service-account", "pipeline"): "NAME@PROJECT.iam.gserviceaccount.com",
    ("--network", "default"): "projects/NUMBER/global/networks/NAME",
    ("--encryption-key", "key"): "projects/…/locations/…/keyRings/…/cryptoKeys/…",
    ("--encryption-key", KEY.replace("europe-west4", "us-east1")): (
        "the key is in us-east1, and the run in europe-west4; the two must be the same"
    ),
    ("--experiment", "First_Tries"): "lower-case letters, digits and hyphens",
    ("--spec", "no.yaml"): "no.yaml: there is no such file",
    ("--spec", "x.yaml", "--spot"): "has its machines and image already",
    ("--image", "fashion-mnist"): "give the image with its registry",
    ("--accelerator", "T4"): "there is no accelerator 'T4'",
    ("--machine-type", "large"): "give one as in n1-standard-8",
    ("--replicas", "2", "-p", "batch_size=255"): "the machines need a multiple of 2",
    ("-p", "model_name=" + "a" * 200): "cannot be a display name",
    ("-p", f"seed={2**53 + 1}"): "seed takes a whole number, with at most 15 digits",
    ("-p", "bucket_uri=gs://other/raw"): "give --bucket, or a folder of it as bucket_uri",
    ("-p", "bucket_uri=gs://my-bucket-2"): "bucket_uri=gs://my-bucket-2: a run keeps everything",
    ("--bucket-owner", "other-project"): "give the number of the project that owns the bucket",
    ("--bucket-owner", "1", "--create-bucket"): "leave out --create-bucket or --bucket-own",
    ("--schedule", "0 6 * *"): "give five plain fields",
    ("--schedule", "0 6 * * 1L"): "give five plain fields",
    ("--schedule", "0 6 * * 1#2"): "give five plain fields",
    ("--schedule", "0 6 LW * *"): "give five plain fields",
    ("--schedule", "TZ=Europe/Berlin 0 6 * * 1"): "give the time zone with --time-zone",
    ("--schedule", "0 0 31 2 *"): '"0 0 31 2 *": no such day exists, so it never runs',
    ("--schedule", "0 0 32 2 *"): "Bad day-of-month",
    ("--schedule", ""): "give five plain fields",
    ("--time-zone", "UTC"): "--time-zone needs --schedule",
    ("--schedule", "61 6 * * 1"): "Bad minute",
    (*WEEKLY, "--time-zone", "Berlin"): "as in Europe/Berlin",
    (*WEEKLY, "--time-zone", ""): "--time-zone '': there is none",
    (*WEEKLY, "--time-zone", "localtime"): "as in Europe/Berlin",
    (*WEEKLY, "--time-zone", "Factory"): "as in Europe/Berlin",
    (*WEEKLY, "--time-zone", "posixrules"): "as in Europe/Berlin",
    (*WEEKLY, "--time-zone", "right/Europe/Berlin"): "as in Europe/Berlin",
    (*WEEKLY, "--wait"): "--wait follows one job, and --schedule makes many",
    (*WEEKLY, "--experiment", "first"): "scheduled runs",
    ("--max-runs", "3"): "--max-runs needs --schedule",
    ("--require-upload",): "--require-upload needs --wait",
    ("--project", "MY_PROJECT"): "project 'MY_PROJECT' cannot be a project",
    ("--region", "evil.example.com/europe-west4"): "cannot be a region",
    **{
        ("--bucket", name): f"--bucket {name}: give a bucket's name alone, with gs:// or without: 3"
        for name in (
            *("my-bucket/folder", "GS://my-bucket", "s3://my-bucket", "My_Bucket", "nb", "gs://"),
            "b" * 64,
        )
    },
    **{
        (f"--{name}", ""): f"--{name} '': give "
        for name in (
            *("bucket-owner", "image", "service-account", "network", "encryption-key"),
            *("experiment", "label"),
        )
    },
    ("--project", ""): "no project is set: give --project",
    ("--region", ""): "no region is set: give --region",
}


@pytest.mark.parametrize(("options", "expected"), WRONG.items(), ids=map(" ".join, WRONG))
def test_a_wrong_option_is_one_line_and_nothing_is_sent(
    options: tuple[str, ...],
    expected: str,
    cloud: Cloud,
    submit: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    committed = (COMPILED / DISTRIBUTED_PIPELINE).read_text()
    monkeypatch.setattr(compiler, "build_distributed", lambda *_: committed)
    done = submit(*options)
    assert done.code == 2, done.error
    assert expected in done.error
    assert len(done.error.strip().splitlines()) == 1
    assert cloud.wire.calls == []


def test_all_that_is_missing_is_said_at_once(
    cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT")
    monkeypatch.delenv("GOOGLE_CLOUD_REGION")
    done = command("submit", "--bucket", "")
    assert done.code == 2
    for text, line in zip(("bucket", "project", "region"), done.error.splitlines(), strict=True):
        assert f"give --{text}" in line
    assert cloud.wire.calls == []


def test_a_folder_of_the_bucket_may_hold_data_and_checkpoints(
    cloud: Cloud, submit: Command
) -> None:
    done = submit("-p", "bucket_uri=gs://my-bucket/elsewhere")
    assert done.code == 0, done.error
    values = sent(cloud)["pipelineJob"]["runtimeConfig"]["parameterValues"]
    assert values["bucket_uri"] == "gs://my-bucket/elsewhere"


def test_another_pipeline_gets_what_it_declares_and_nothing_else(
    cloud: Cloud, submit: Command, tmp_path: Path
) -> None:
    done = submit("--spec", str(foreign.write(tmp_path)), "-p", "min_accuracy=99")
    assert done.code == 0, done.error
    values = sent(cloud)["pipelineJob"]["runtimeConfig"]["parameterValues"]
    assert values == {**foreign.ARGUMENTS, "min_accuracy": 99.0}


def test_a_region_that_the_sdk_does_not_list_is_a_warning_with_the_nearest(
    cloud: Cloud, submit: Command, caplog: pytest.LogCaptureFixture
) -> None:
    assert submit("--dry-run", "--region", "europe-wset4").code == 0
    assert "europe-wset4; did you mean europe-west4?" in caplog.text
    assert submit("--dry-run", "--region", "mars-north1").code == 0
    assert "mars-north1; it may be new, or mistyped" in caplog.text
    done = submit("--region", "europe-west99", "--experiment", "first")
    assert (done.code, done.error.count("\n")) == (2, 1)
    assert "the SDK has no experiments in europe-west99" in done.error
    assert cloud.wire.calls == []


def test_a_stale_spec_is_refused(
    cloud: Cloud, submit: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stale() -> None:
        raise UsageError("compiled/ is stale: run `make compile`")

    monkeypatch.setattr(compiler, "check", stale)
    done = submit()
    assert (done.code, done.error) == (2, "error: compiled/ is stale: run `make compile`\n")
    assert cloud.wire.calls == []


def test_nothing_that_is_sent_or_printed_holds_credentials_of_the_machine(
    cloud: Cloud, submit: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in planted.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    done = [submit(), submit("--dry-run")]
    assert [one.code for one in done] == [0, 0]
    calls = [repr((call.line, call.query, call.body, call.headers)) for call in cloud.wire.calls]
    texts = [text for one in done for text in (one.out, one.error)]
    created = [str(request) for request in cloud.pipelines.created]
    assert not planted.told(json.dumps([calls, texts, created]))
    assert planted.files_that_tell(tmp_path) == []


@pytest.mark.parametrize("source", [planted.IN_ADDRESS, planted.SIGNED])
def test_a_source_with_credentials_is_refused(cloud: Cloud, submit: Command, source: str) -> None:
    for options in (("--source", source), ("-p", f"source={source}", "--dry-run")):
        done = submit(*options)
        assert done.code == 2
        assert not planted.told(done.out + done.error)
    assert cloud.pipelines.created == []


def test_a_refused_token_is_not_printed(
    cloud: Cloud, submit: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = Credentials(token=planted.SECRET, quota_project_id="my-project")
    monkeypatch.setattr(target, "default_credentials", lambda: token)
    cloud.wire.fail("CreatePipelineJob", Fault(401), times=20)
    done = submit()
    assert done.code == 1
    headers = [call.headers.get("authorization", "") for call in cloud.wire.calls]
    assert any(map(planted.told, headers))
    assert not planted.told(done.out + done.error)
