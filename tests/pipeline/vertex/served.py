"""Endpoints that a test puts into the service, and what they serve."""

from typing import Any, Final

from tests.fakes.cloud import Cloud

DEPLOY: Final = ("deploy", "--every", "0.05")
WHERE: Final = "--project my-project --region europe-west4"
STAGES: Final = ["PREPARING_MODEL", "STARTING_MODEL_SERVER", "STARTING_MODEL_SERVER"]


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
