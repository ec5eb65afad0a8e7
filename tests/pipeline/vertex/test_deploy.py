"""A version taken to an endpoint: what is sent, said and left, and what goes wrong."""

import json
import os
import signal
from typing import Any

import pytest
from google.cloud import aiplatform_v1 as vertex

from pipeline.vertex import asking, outages, target
from tests.fakes.cloud import Cloud
from tests.fakes.wire import PARENT, Fault, Refusal
from tests.pipeline.vertex.conftest import Command

DEPLOY = ("deploy", "--every", "0.05")
WHERE = "--project my-project --region europe-west4"
STAGES = ["PREPARING_MODEL", "STARTING_MODEL_SERVER", "STARTING_MODEL_SERVER"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ANSWERS_WITHIN", 0.5)


@pytest.fixture
def versions(cloud: Cloud) -> list[Any]:
    """Three versions of fashion-mnist in the registry; the third has the alias default."""
    first = cloud.models.add(vertex.Model(display_name="fashion-mnist"))
    rest = [
        cloud.models.add(
            vertex.Model(display_name="fashion-mnist", version_aliases=aliases), first.name
        )
        for aliases in (["golden"], ["default", "fashion-mnist-20261124-120000-ab12"])
    ]
    return [first, *rest]


def serving(cloud: Cloud, version: Any, **options: str) -> Any:
    """The endpoint fashion-mnist, which serves a version."""
    endpoint = next(iter(cloud.endpoints.endpoints.values()), None)
    endpoint = endpoint or cloud.endpoints.add("fashion-mnist")
    deployed = cloud.endpoints.put(endpoint, version, **options)
    endpoint.traffic_split = {deployed.id: 100}
    return endpoint


def served(cloud: Cloud) -> dict[str, int]:
    """What the only endpoint serves: the share of the traffic by version."""
    (endpoint,) = cloud.endpoints.endpoints.values()
    share = dict(endpoint.traffic_split)
    return {one.model_version_id: share.get(one.id, 0) for one in endpoint.deployed_models}


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


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (
            (9, "Model server exited unexpectedly. Model server logs can be found at …"),
            "could not deploy fashion-mnist version 3 (project my-project in europe-west4): the "
            "container ended, or was never ready; its log says why (Model server exited",
        ),
        (
            (8, "The following quotas are exceeded: CustomModelServingCPUsPerProjectPerRegion"),
            "a quota is used up; run again later, or ask for more at https://",
        ),
    ],
)
def test_a_deployment_that_fails_leaves_the_version_before(
    failure: tuple[int, str], said: str, cloud: Cloud, command: Command, versions: list[Any]
) -> None:
    serving(cloud, versions[1])
    cloud.endpoints.failure = failure
    done = command(*DEPLOY)
    assert done.code == 1
    assert said in done.error
    assert "\nlog: https://console.cloud.google.com/logs/query;query=" in done.error
    assert "endpoint_id%3D%22500%22?project=my-project" in done.error
    assert served(cloud) == {"2": 100}


def silent(_pictures: list[bytes]) -> Any:
    raise Refusal(500, "no answer")


@pytest.mark.parametrize("server", [silent, lambda _: {"predictions": [1]}], ids=["5xx", "other"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_version_that_does_not_answer_goes_and_the_traffic_goes_back(
    is_first: bool, server: Any, cloud: Cloud, command: Command, versions: list[Any]
) -> None:
    if not is_first:
        serving(cloud, versions[1])
    cloud.endpoints.server = server
    done = command(*DEPLOY)
    assert done.code == 1
    assert "fashion-mnist version 3 did not answer and was undeployed" in done.error
    assert ("the traffic is where it was" in done.error) != is_first
    assert served(cloud) == ({} if is_first else {"2": 100})


def test_the_version_before_stays_until_the_new_one_answers(
    cloud: Cloud, command: Command, versions: list[Any]
) -> None:
    serving(cloud, versions[1])
    cloud.endpoints.lag = 2
    done = command(*DEPLOY)
    assert done.code == 0, done.error
    assert [by for by, _ in cloud.endpoints.asked] == ["1", "1", "7001"]
    assert served(cloud) == {"3": 100}


@pytest.mark.usefixtures("versions")
@pytest.mark.parametrize("fault", [Fault(), Fault(503)], ids=["reset", "503"])
def test_the_network_may_go_away_and_come_back(
    fault: Fault, cloud: Cloud, command: Command
) -> None:
    cloud.endpoints.stages = STAGES
    cloud.endpoints.script = [
        *[lambda: None] * 2,
        lambda: cloud.wire.fail("GetOperation", fault, times=2),
    ]
    done = command(*DEPLOY)
    assert done.code == 0, done.error
    assert done.out.count("trying again, and it continues") == 1
    assert "the service answers again" in done.out
    assert served(cloud) == {"3": 100}


@pytest.mark.usefixtures("versions")
def test_a_service_that_stays_away_is_followed_again_by_the_same_command(
    cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outages, "PATIENCE", 0.3)
    cloud.endpoints.stages = STAGES
    cloud.endpoints.script = [
        lambda: None,
        lambda: cloud.wire.fail("GetOperation", Fault(503), times=99),
    ]
    done = command(*DEPLOY)
    assert done.code == 1
    again = f"fashion-mnist deploy fashion-mnist@default --endpoint fashion-mnist {WHERE}"
    assert f"it continues: `{again}` follows it again" in done.error


@pytest.mark.usefixtures("versions")
def test_ctrl_c_leaves_the_deployment_running_and_the_same_command_finishes_it(
    cloud: Cloud, command: Command
) -> None:
    # Started in the background by a shell, the tests ignore Ctrl-C, and so would the command.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    cloud.endpoints.page_size = 1
    cloud.endpoints.stages = STAGES
    cloud.endpoints.script = [
        *[lambda: None] * 2,
        lambda: os.kill(os.getpid(), signal.SIGINT),
    ]
    stopped = command(*DEPLOY, "3", "--machine-type", "e2-standard-2")
    assert stopped.code == 130
    assert (
        "what was started continues, and what is deployed costs money: `fashion-mnist deploy "
        f"fashion-mnist@3 --endpoint fashion-mnist --machine-type=e2-standard-2 {WHERE}` follows "
        f"it again, `fashion-mnist undeploy --endpoint fashion-mnist {WHERE}` takes it away"
    ) in stopped.error
    done = command(*DEPLOY, "3", "--machine-type", "e2-standard-2")
    assert done.code == 0, done.error
    assert "the endpoint is being changed already; following that first" in done.out
    assert len(cloud.wire.named("DeployModel")) == 1
    assert served(cloud) == {"3": 100}


@pytest.mark.usefixtures("versions")
def test_a_deployment_is_requested_once_and_found_again_if_the_answer_was_lost(
    cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough for a repeated request, if there were one.
    monkeypatch.setattr(target, "RETRY_SECONDS", 5.0)
    cloud.wire.fail("DeployModel", Fault(after=True))
    lost = command(*DEPLOY)
    assert (lost.code, lost.error.count("\n")) == (1, 1)
    assert "the connection broke; look at the network and run again" in lost.error
    assert command(*DEPLOY).code == 0
    assert len(cloud.wire.named("DeployModel")) == 1
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
def test_an_endpoint_has_the_key_of_its_model(cloud: Cloud, command: Command) -> None:
    key = "projects/p/locations/europe-west4/keyRings/r/cryptoKeys/k"
    cloud.models.versions[2].encryption_spec = {"kms_key_name": key}
    assert command(*DEPLOY).code == 0
    (endpoint,) = cloud.endpoints.endpoints.values()
    assert endpoint.encryption_spec.kms_key_name == key


class TestUndeploy:
    def test_everything_goes_and_the_endpoint_stays(
        self, cloud: Cloud, command: Command, versions: list[Any]
    ) -> None:
        serving(cloud, versions[0])
        endpoint = serving(cloud, versions[1])
        one, two = endpoint.deployed_models
        endpoint.traffic_split = {one.id: 40, two.id: 60}
        done = command("undeploy", "--every", "0.05")
        assert done.code == 0, done.error
        assert served(cloud) == {}
        assert "undeployed fashion-mnist version 1, fashion-mnist version 2\n" in done.out
        again = f"`fashion-mnist undeploy --endpoint fashion-mnist {WHERE} --delete` deletes it"
        assert f"the endpoint fashion-mnist stays, and costs nothing; {again}" in done.out

    def test_the_endpoint_goes_on_request(
        self, cloud: Cloud, command: Command, versions: list[Any]
    ) -> None:
        serving(cloud, versions[0])
        done = command("undeploy", "--delete", "--json", "--every", "0.05")
        assert done.code == 0, done.error
        printed = json.loads(done.out)
        assert (printed["endpoint"], printed["deleted"]) == ("fashion-mnist", True)
        assert [one["version"] for one in printed["undeployed"]] == ["1"]
        assert cloud.endpoints.endpoints == {}

    def test_nothing_to_undeploy_is_said(self, cloud: Cloud, command: Command) -> None:
        missing = command("undeploy", "--endpoint", "shop")
        assert missing.code == 1
        assert "no endpoint 'shop' (project my-project in europe-west4); there are none" in (
            missing.error
        )
        cloud.endpoints.add("fashion-mnist")
        assert "there are fashion-mnist\n" in command("undeploy", "--endpoint", "shop").error
        done = command("undeploy")
        assert done.code == 0, done.error
        assert "nothing was deployed on the endpoint fashion-mnist" in done.out

    def test_a_deployment_that_still_runs_is_taken_away_too(
        self, cloud: Cloud, command: Command, versions: list[Any]
    ) -> None:
        serving(cloud, versions[0])
        cloud.endpoints.stages = STAGES
        cloud.endpoints.script = [lambda: cloud.wire.fail("GetOperation", Fault(403))]
        assert command(*DEPLOY).code == 1
        done = command("undeploy", "--every", "0.05")
        assert done.code == 0, done.error
        assert "undeployed fashion-mnist version 3, fashion-mnist version 1\n" in done.out
        assert served(cloud) == {}
