"""A version taken to an endpoint: what is sent, said and left, and what goes wrong."""

import json
from typing import Any

import pytest
from google.cloud import aiplatform_v1 as vertex

from components.upload.containers import LAST_DAYS
from tests.fakes.cloud import Cloud
from tests.fakes.wire import PARENT
from tests.pipeline.vertex.conftest import Command
from tests.pipeline.vertex.served import DEPLOY, STAGES, WHERE, served, serving


@pytest.mark.usefixtures("versions")
def test_the_champion_gets_an_endpoint_and_every_change_is_a_line(
    cloud: Cloud, command: Command
) -> None:
    cloud.endpoints.stages = STAGES
    done = command(*DEPLOY)
    assert done.code == 0, done.error
    lines = [line.split(" (")[0] for line in done.out.splitlines()]
    assert lines == [
        "fashion-mnist version 3 goes to the new endpoint fashion-mnist",
        "1 n1-standard-2: about 0.11 US$ an hour, 80 a month, used or not",
        "created the endpoint fashion-mnist, number 500",
        "deploying fashion-mnist version 3; this takes 5 to 15 minutes",
        "  preparing model",
        "  starting model server",
        "moving the traffic to fashion-mnist version 3, and asking it about a picture",
        "fashion-mnist version 3 is served by the endpoint fashion-mnist",
        "Page       https://console.cloud.google.com/vertex-ai/online-prediction/locations/"
        "europe-west4/endpoints/500?project=my-project",
        "Costs      fashion-mnist version 3, 1 n1-standard-2: about 0.11 US$ an hour, 80 a "
        "month, used or not",
    ]
    assert f"fashion-mnist predict --endpoint fashion-mnist {WHERE} PHOTO" in done.error
    assert f"fashion-mnist undeploy --endpoint fashion-mnist {WHERE}" in done.error
    assert served(cloud) == {"3": 100}


def test_a_version_gets_no_traffic_before_its_deployment_has_ended(
    cloud: Cloud, command: Command, versions: list[Any]
) -> None:
    endpoint = serving(cloud, versions[1])
    old = dict(endpoint.traffic_split)
    seen: list[dict[str, int]] = []
    cloud.endpoints.stages = STAGES
    cloud.endpoints.script = [lambda: seen.append(dict(endpoint.traffic_split))] * 4
    done = command(*DEPLOY)
    assert done.code == 0, done.error
    assert seen == [old] * 4
    assert "when it answers, fashion-mnist version 2 is undeployed" in done.out
    assert "undeploying fashion-mnist version 2" in done.out
    assert served(cloud) == {"3": 100}


@pytest.mark.parametrize(
    ("reference", "version"),
    [
        ("1", "1"),
        ("golden", "2"),
        ("fashion-mnist@golden", "2"),
        (f"{PARENT}/models/1000@2", "2"),
        (f"{PARENT}/models/1000", "3"),
    ],
)
@pytest.mark.usefixtures("versions")
def test_a_version_is_named_as_elsewhere(
    reference: str, version: str, cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    if reference.startswith("projects"):
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "other-project")
    done = command(*DEPLOY, reference)
    assert done.code == 0, done.error
    assert served(cloud) == {version: 100}
    assert [one.display_name for one in cloud.endpoints.endpoints.values()] == ["fashion-mnist"]


@pytest.mark.usefixtures("versions")
def test_machines_and_replicas_are_sent_and_their_price_is_said(
    cloud: Cloud, command: Command
) -> None:
    machines = ("--machine-type", "e2-standard-4", "--max-replicas", "3")
    done = command(*DEPLOY, *machines, "--endpoint", "shop", "--json")
    assert done.code == 0, done.error
    assert "1 to 3 e2-standard-4: about 0.15 to 0.46 US$ an hour, 113 to 338 a month" in done.error
    printed = json.loads(done.out)
    assert printed["endpoint"] == "shop"
    (deployed,) = printed["deployed"]
    assert deployed == {
        **{"id": "7000", "version": "3", "traffic": 100, "model": f"{PARENT}/models/1000"},
        **{"machine_type": "e2-standard-4", "min_replicas": 1, "max_replicas": 3},
        "usd_an_hour": pytest.approx(0.154, abs=0.001),
    }


@pytest.mark.usefixtures("versions")
def test_a_price_that_is_not_known_is_said_to_be_unknown(command: Command) -> None:
    done = command("deploy", "--machine-type", "c3-highcpu-4", "--dry-run")
    assert "1 c3-highcpu-4: the price is not known here; https://cloud.google" in done.error


def test_a_dry_run_prints_what_would_be_sent_and_changes_nothing(
    cloud: Cloud, command: Command, versions: list[Any]
) -> None:
    done = command("deploy", "--dry-run", "--min-replicas", "2")
    assert done.code == 0, done.error
    assert "2 n1-standard-2: about 0.22 US$ an hour, 160 a month" in done.error
    printed = json.loads(done.out)
    assert printed["createEndpoint"] == {"displayName": "fashion-mnist"}
    assert printed["deployModel"]["deployedModel"] == {
        "model": f"{PARENT}/models/1000@3",
        "displayName": "fashion-mnist",
        "dedicatedResources": {
            "machineSpec": {"machineType": "n1-standard-2"},
            "minReplicaCount": 2,
            "maxReplicaCount": 2,
        },
    }
    serving(cloud, versions[0])
    printed = json.loads(command("deploy", "--dry-run").out)
    assert list(printed) == ["deployModel", "updateEndpoint", "undeployModel"]
    assert printed["undeployModel"] == [{"deployedModelId": "7000"}]
    assert {call.method for call in cloud.wire.calls} == {
        *("ListModels", "ListModelVersions", "ListEndpoints")
    }


def test_a_version_that_is_there_already_is_left_alone(
    cloud: Cloud, command: Command, versions: list[Any]
) -> None:
    serving(cloud, versions[2], machine="e2-standard-2")
    done = command(*DEPLOY)
    assert done.code == 0, done.error
    assert "fashion-mnist version 3 is deployed there already and has all traffic" in done.out
    assert "1 e2-standard-2: about 0.08 US$ an hour" in done.out
    assert cloud.wire.named("DeployModel") == []
    assert json.loads(command(*DEPLOY, "--json").out)["deployed"][0]["traffic"] == 100


def test_the_same_version_on_other_machines_replaces_itself(
    cloud: Cloud, command: Command, versions: list[Any]
) -> None:
    serving(cloud, versions[2])
    assert command(*DEPLOY, "--machine-type", "e2-standard-2").code == 0
    (endpoint,) = cloud.endpoints.endpoints.values()
    (deployed,) = endpoint.deployed_models
    assert deployed.dedicated_resources.machine_spec.machine_type == "e2-standard-2"


def test_an_earlier_version_can_stay_and_come_back_without_a_deployment(
    cloud: Cloud, command: Command, versions: list[Any]
) -> None:
    serving(cloud, versions[1])
    done = command(*DEPLOY, "--keep")
    assert done.code == 0, done.error
    assert served(cloud) == {"2": 0, "3": 100}
    assert "Costs      fashion-mnist version 2 without traffic, 1 n1-standard-2: about" in done.out
    back = command(*DEPLOY, "2")
    assert back.code == 0, back.error
    assert "being changed already" not in back.out
    assert served(cloud) == {"2": 100}
    assert len(cloud.wire.named("DeployModel")) == 1


def test_the_version_before_stays_until_the_new_one_answers(
    cloud: Cloud, command: Command, versions: list[Any]
) -> None:
    serving(cloud, versions[1])
    cloud.endpoints.lag = 2
    done = command(*DEPLOY)
    assert done.code == 0, done.error
    assert [by for by, _ in cloud.endpoints.asked] == ["1", "1", "7001"]
    assert served(cloud) == {"3": 100}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("7",), 1, "fashion-mnist has no version '7' (project my-project in europe-west4); there"),
        (("7",), 1, "there are 1, 2 (golden), 3 (default); `fashion-mnist submit --bucket"),
        (("mnist@3",), 1, "has no model 'mnist' (project my-project in europe-west4); `fashion-m"),
        (
            ("mnist@3",),
            1,
            f"submit --bucket BUCKET --wait {WHERE}` trains and registers one, while",
        ),
        (("a@",), 2, "'a@' is not a version: give its number or alias"),
        (("",), 2, "'' is not a version"),
        (("--endpoint", ""), 2, "--endpoint '': give its name"),
        (("--endpoint", "4711"), 1, "there is no endpoint 4711; give another --endpoint"),
        (("--machine-type", "big"), 2, "--machine-type 'big': give one as in n1-standard-2"),
        (("--min-replicas", "3", "--max-replicas", "2"), 2, "--max-replicas 2 is less than --min"),
    ],
)
@pytest.mark.usefixtures("versions")
def test_what_cannot_be_deployed_is_one_line(
    arguments: tuple[str, ...], code: int, said: str, cloud: Cloud, command: Command
) -> None:
    done = command("deploy", *arguments)
    assert (done.code, done.out, done.error.count("\n")) == (code, "", 1)
    assert said in done.error
    assert cloud.endpoints.endpoints == {}


def test_two_of_one_name_are_not_confused(
    cloud: Cloud, command: Command, versions: list[Any]
) -> None:
    for _ in range(2):
        cloud.endpoints.add("fashion-mnist")
    assert "give --endpoint with the number of one, 500, 501" in command("deploy").error
    assert command(*DEPLOY, "--endpoint", "501").code == 0
    cloud.models.add(vertex.Model(display_name="fashion-mnist"))
    names = f"{versions[0].name}@default, {PARENT}/models/1003@default"
    assert f"give the version as one of {names}" in command("deploy").error


@pytest.mark.usefixtures("versions")
def test_an_image_that_will_go_is_said_with_its_last_day(cloud: Cloud, command: Command) -> None:
    (image, until), *_ = LAST_DAYS.items()
    cloud.models.versions[2].container_spec = {"image_uri": image}
    done = command("deploy", "--dry-run")
    assert f"warning: its image {image} can be deployed until {until:%-d %B %Y}" in done.error
    assert "warning" not in command("deploy", "2", "--dry-run").error


@pytest.mark.usefixtures("versions")
def test_an_endpoint_has_the_key_of_its_model(cloud: Cloud, command: Command) -> None:
    key = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/k"
    cloud.models.versions[2].encryption_spec = {"kms_key_name": key}
    assert command(*DEPLOY).code == 0
    (endpoint,) = cloud.endpoints.endpoints.values()
    assert endpoint.encryption_spec.kms_key_name == key
