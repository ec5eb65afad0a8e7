"""Endpoints and what is deployed on them.

What asks the service raises ``CloudError`` when it refuses or does not answer.
"""

from typing import Any

from components.upload.registry_lookup import DISPLAY_NAME
from pipeline.errors import CommandError, UsageError
from pipeline.vertex.refusals import call, explained
from pipeline.vertex.target import CONSOLE, Target, patient


def check_name(reference: str) -> None:
    """Refuses what no endpoint can be called.

    Raises:
        UsageError: It is empty or too long, or has a quote, a backslash or a line break.
    """
    if not DISPLAY_NAME.fullmatch(reference):
        raise UsageError(
            f"--endpoint {reference!r}: give its name, of 1 to 128 characters without quotes and "
            "backslashes, or its number"
        )


def find(target: Target, reference: str) -> Any | None:
    """The endpoint with a number or a name; None if no endpoint has that name.

    Raises:
        CommandError: Several endpoints have the name.
        CloudError: There is no endpoint with that number, or the service refused.
    """
    if reference.isdecimal():
        return get(target, f"{target.parent}/endpoints/{reference}")
    request = {"parent": target.parent, "filter": f'display_name="{reference}"'}
    doing = f"look for the endpoint {reference}"
    with explained(doing, target):
        listed = call(target, "Endpoint", "list_endpoints", doing, patient(), request=request)
        found = [one for one in listed if one.display_name == reference]
    if len(found) > 1:
        raise CommandError(
            f"several endpoints are called {reference} ({target}): give --endpoint with the "
            f"number of one, {', '.join(sorted(map(id_of, found)))}"
        )
    return found[0] if found else None


def get(target: Target, name: str) -> Any:
    """An endpoint as it is now."""
    number = name.rpartition("/")[2]
    return call(
        *(target, "Endpoint", "get_endpoint", "read the endpoint", patient()),
        missing=f"there is no endpoint {number}; give another --endpoint",
        name=name,
    )


def existing(target: Target, reference: str) -> Any:
    """The endpoint with a number or a name.

    Raises:
        CommandError: There is none, or several have the name; the error lists what there is.
        CloudError: The service refused.
    """
    if endpoint := find(target, reference):
        return endpoint
    doing = "list the endpoints"
    with explained(doing, target):
        listed = call(target, "Endpoint", "list_endpoints", doing, patient(), parent=target.parent)
        names = sorted({one.display_name for one in listed})
    raise CommandError(
        f"there is no endpoint {reference!r} ({target}); there are {', '.join(names) or 'none'}"
    )


def running(target: Target, endpoint: Any) -> list[str]:
    """The names of the operations that change an endpoint and have not ended."""
    names, request = [], {"name": endpoint.name, "page_token": ""}
    while True:
        listed = call(
            *(target, "Endpoint", "list_operations", "list the endpoint's operations", patient()),
            request=request,
        )
        names += [one.name for one in listed.operations if not one.done]
        if not listed.next_page_token:
            return names
        request["page_token"] = listed.next_page_token


def route(target: Target, endpoint: Any, traffic: dict[str, int]) -> None:
    """Sets which share of the requests each deployed model gets, in percent, by their ids."""
    from google.cloud.aiplatform_v1 import Endpoint

    call(
        *(target, "Endpoint", "update_endpoint", "move the endpoint's traffic", patient()),
        endpoint=Endpoint(name=endpoint.name, traffic_split=traffic),
        update_mask={"paths": ["traffic_split"]},
    )


def served(endpoint: Any) -> list[Any]:
    """What is deployed on an endpoint and gets requests."""
    share = dict(endpoint.traffic_split)
    return [one for one in endpoint.deployed_models if share.get(one.id)]


def id_of(endpoint: Any) -> str:
    """The number at the end of an endpoint's full name."""
    return str(endpoint.name.rpartition("/")[2])


def title(deployed: Any) -> str:
    """What is deployed, as people read it: ``fashion-mnist version 3``."""
    return f"{deployed.display_name or 'a model'} version {deployed.model_version_id or '?'}"


def page(target: Target, endpoint: Any) -> str:
    """The address of an endpoint's page."""
    place = f"{CONSOLE}/vertex-ai/online-prediction/locations/{target.region}"
    return f"{place}/endpoints/{id_of(endpoint)}?project={target.project}"


def log(target: Target, endpoint: Any) -> str:
    """The address of the log of an endpoint's containers."""
    import urllib.parse

    words = (
        'resource.type="aiplatform.googleapis.com/Endpoint" '
        f'resource.labels.endpoint_id="{id_of(endpoint)}"'
    )
    query = urllib.parse.quote(words, safe="")
    return f"{CONSOLE}/logs/query;query={query}?project={target.project}"
