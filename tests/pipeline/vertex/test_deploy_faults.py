"""Deployments that fail, are interrupted or lose the network: what is left, and what is said."""

import os
import signal
from typing import Any

import pytest

from pipeline.runs import outages
from pipeline.vertex import target
from tests.fakes.cloud import Cloud
from tests.fakes.wire import Fault, Refusal
from tests.pipeline.vertex.conftest import Command
from tests.pipeline.vertex.served import DEPLOY, STAGES, WHERE, served, serving


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


def test_a_version_with_a_share_of_the_traffic_that_does_not_answer_keeps_it(
    cloud: Cloud, command: Command, versions: list[Any]
) -> None:
    serving(cloud, versions[2])
    endpoint = serving(cloud, versions[1])
    three, two = endpoint.deployed_models
    endpoint.traffic_split = {two.id: 60, three.id: 40}
    cloud.endpoints.server = silent
    done = command(*DEPLOY)
    assert "version 3 did not answer; the traffic is where it was: " in done.error
    assert served(cloud) == {"2": 60, "3": 40}


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
