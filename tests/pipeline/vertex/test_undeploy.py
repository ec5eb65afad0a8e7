"""What is taken away from an endpoint, and what stays."""

import json
from typing import Any

from tests.fakes.cloud import Cloud
from tests.fakes.wire import Fault
from tests.pipeline.vertex.conftest import Command
from tests.pipeline.vertex.served import DEPLOY, STAGES, WHERE, served, serving


def test_everything_goes_and_the_endpoint_stays(
    cloud: Cloud, command: Command, versions: list[Any]
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


def test_the_endpoint_goes_on_request(cloud: Cloud, command: Command, versions: list[Any]) -> None:
    serving(cloud, versions[0])
    done = command("undeploy", "--delete", "--json", "--every", "0.05")
    assert done.code == 0, done.error
    printed = json.loads(done.out)
    assert (printed["endpoint"], printed["deleted"]) == ("fashion-mnist", True)
    assert [one["version"] for one in printed["undeployed"]] == ["1"]
    assert cloud.endpoints.endpoints == {}


def test_nothing_to_undeploy_is_said(cloud: Cloud, command: Command) -> None:
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
    cloud: Cloud, command: Command, versions: list[Any]
) -> None:
    serving(cloud, versions[0])
    cloud.endpoints.stages = STAGES
    cloud.endpoints.script = [lambda: cloud.wire.fail("GetOperation", Fault(403))]
    assert command(*DEPLOY).code == 1
    done = command("undeploy", "--every", "0.05")
    assert done.code == 0, done.error
    assert "undeployed fashion-mnist version 3, fashion-mnist version 1\n" in done.out
    assert served(cloud) == {}
