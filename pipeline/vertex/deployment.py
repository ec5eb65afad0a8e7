"""Takes a version of a model to an endpoint, and everything on an endpoint away again.

A version is deployed without traffic. Vertex AI ends the deployment when the container answers its
health check. Only then the traffic moves, and only when a picture was answered through the
endpoint the earlier versions are undeployed. One that does not answer is undeployed itself.
"""

import dataclasses
from typing import Any

from pipeline.errors import CloudError, CommandError
from pipeline.vertex import endpoints, registered
from pipeline.vertex.asking import wait_for_answer
from pipeline.vertex.endpoints import id_of, title
from pipeline.vertex.operations import Following
from pipeline.vertex.plan import Plan, renewed
from pipeline.vertex.refusals import call


def deploy(plan: Plan, following: Following) -> Plan:
    """Carries a plan out, and returns what is there afterwards.

    Raises:
        CommandError: The version does not answer; it was undeployed.
        CloudError: The deployment failed, or the service refused.
    """
    if plan.endpoint is not None and _settle(plan.endpoint, following):
        plan = renewed(plan)
    if plan.endpoint is None:
        plan = dataclasses.replace(plan, endpoint=_create(plan, following))
    if plan.there is None:
        plan = _deployed(plan, following)
    if not plan.has_traffic:
        _move(plan, following)
    for other in () if plan.keep else plan.others:
        following.say(f"undeploying {title(other)}")
        _undeploy(plan.endpoint, other, following)
    return renewed(plan)


def undeploy(endpoint: Any, following: Following) -> list[Any]:
    """Undeploys everything on an endpoint, and returns what that was.

    Raises:
        CloudError: The service refused.
    """
    if _settle(endpoint, following):
        endpoint = endpoints.get(following.target, endpoint.name)
    share = dict(endpoint.traffic_split)
    found = sorted(endpoint.deployed_models, key=lambda one: share.get(one.id, 0))
    for one in found:
        following.say(f"undeploying {title(one)}")
        # Only the last one may go while it has traffic.
        to_last = {found[-1].id: 100} if share.get(one.id) and one is not found[-1] else {}
        _undeploy(endpoint, one, following, to_last)
    return found


def delete(endpoint: Any, following: Following) -> None:
    """Deletes an endpoint on which nothing is deployed."""
    doing = "delete the endpoint"
    started = call(following.target, "Endpoint", "delete_endpoint", doing, None, name=endpoint.name)
    following.end_of(started.operation.name, doing)


def _settle(endpoint: Any, following: Following) -> bool:
    """Waits for what is changing an endpoint already; whether there was something."""
    names = endpoints.running(following.target, endpoint)
    for name in names:
        following.say("the endpoint is being changed already; following that first")
        try:
            following.end_of(name, "wait for the change that was running")
        except CloudError as error:
            following.say(f"{error}; going on without it")
    return bool(names)


def _create(plan: Plan, following: Following) -> Any:
    from google.cloud.aiplatform_v1 import Endpoint

    doing = f"create the endpoint {plan.name}"
    started = call(
        *(plan.target, "Endpoint", "create_endpoint", doing, None),
        parent=plan.target.parent,
        endpoint=plan.new_endpoint(),
    )
    made = following.end_of(started.operation.name, doing, Endpoint)
    following.say(f"created the endpoint {plan.name}, number {id_of(made)}")
    return endpoints.get(plan.target, made.name)


def _deployed(plan: Plan, following: Following) -> Plan:
    """Deploys the version without traffic; the plan with it."""
    from google.cloud.aiplatform_v1 import DeployModelResponse

    name = registered.title(plan.model)
    doing = f"deploy {name}"
    following.say(f"deploying {name}; this takes 5 to 15 minutes")
    started = call(plan.target, "Endpoint", "deploy_model", doing, None, request=plan.request())
    try:
        done = following.end_of(started.operation.name, doing, DeployModelResponse)
    except CloudError as error:
        link = endpoints.log(plan.target, plan.endpoint)
        raise CloudError(f"{error}\nlog: {link}") from error
    return renewed(plan, done.deployed_model.id)


def _move(plan: Plan, following: Following) -> None:
    """Moves the traffic to the version; back again, if it does not answer."""
    endpoint, there = plan.endpoint, plan.there
    before = dict(endpoint.traffic_split)
    following.say(f"moving the traffic to {title(there)}, and asking it about a picture")
    endpoints.route(plan.target, endpoint, {there.id: 100})
    try:
        wait_for_answer(plan.target, endpoint, there.id)
    except CommandError as error:
        if plan.others:
            endpoints.route(plan.target, endpoint, before)
        if not (had := before.get(there.id)):
            _undeploy(endpoint, there, following)
        gone = "" if had else " and was undeployed"
        back = "; the traffic is where it was" if before else ""
        raise CommandError(
            f"{title(there)} did not answer{gone}{back}: {error}\n"
            f"log: {endpoints.log(plan.target, endpoint)}"
        ) from error


def _undeploy(
    endpoint: Any, deployed: Any, following: Following, traffic: dict[str, int] | None = None
) -> None:
    doing = f"undeploy {title(deployed)}, which still costs money"
    started = call(
        *(following.target, "Endpoint", "undeploy_model", doing, None),
        endpoint=endpoint.name,
        deployed_model_id=deployed.id,
        traffic_split=traffic or {},
    )
    following.end_of(started.operation.name, doing)
