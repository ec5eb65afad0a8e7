"""A model that an endpoint on Vertex AI serves, as one that is asked about photos."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from components.dataset.description import Description
from pipeline.cli.console import waiting
from pipeline.errors import CommandError
from pipeline.photos.predictions import Likely, Photo
from pipeline.text import command
from pipeline.vertex import asking, endpoints, registered
from pipeline.vertex.target import Target, resolve
from serving.labels import NOTHING

NO_CLASS: Final = -1
"""What a model answers as the class of a picture in which nothing stands out."""


@dataclasses.dataclass(frozen=True)
class ServedModel:
    """What an endpoint serves.

    Attributes:
        description: What it was trained on; None if that cannot be read.
    """

    target: Target
    endpoint: Any
    description: Description | None

    @property
    def title(self) -> str:
        """Its name in a sentence."""
        served = ", ".join(map(endpoints.title, endpoints.served(self.endpoint)))
        return f"{served} on the endpoint {self.endpoint.display_name}"

    def as_json(self) -> dict[str, Any]:
        """Its endpoint and versions, as JSON values."""
        versions = [one.model_version_id for one in endpoints.served(self.endpoint)]
        return {"endpoint": self.endpoint.name, "versions": versions}

    def answer(self, photos: Sequence[Photo], count: int | None = None) -> None:
        """Adds the ``count`` most likely classes, or an error, to each photo.

        Raises:
            CloudError: The endpoint refused or did not answer.
        """
        contents = [photo.content for photo in photos]
        for photo, found in zip(
            photos, asking.ask(self.target, self.endpoint, contents), strict=True
        ):
            photo.content = b""
            if isinstance(found, str):
                photo.error = found
            elif found["class_id"] == NO_CLASS:
                photo.error = NOTHING
            else:
                photo.ranking = self._ranking(found)[:count]

    def _ranking(self, found: dict[str, Any]) -> list[Likely]:
        """The classes of an answer, the most likely one first.

        A server names the most likely class alone. If it is as the description says, so are the
        others.
        """
        shares, label, number = found["probabilities"], found["label"], found["class_id"]
        names = list(self.description.classes if self.description else ())
        if len(names) != len(shares) or label not in ("", names[number]):
            names = [f"class {one}" for one in range(len(shares))]
        names[number] = label or names[number]
        order = sorted(range(len(shares)), key=lambda one: -shares[one])
        return [Likely(names[one], one, shares[one]) for one in order]


def find(reference: str, project: str | None, region: str | None) -> ServedModel:
    """The model on an endpoint.

    Raises:
        UsageError: No endpoint can be called like that, or there is no project or region.
        CommandError: There is no such endpoint, or it serves nothing.
        CloudError: The service refused.
    """
    endpoints.check_name(reference)
    target = resolve(project, region)
    with waiting(f"asking Vertex AI ({target})"):
        endpoint = endpoints.existing(target, reference)
        served = endpoints.served(endpoint)
        about = registered.description(target, served[0]) if served else None
    if not served:
        deploy = command(f"deploy --endpoint {endpoints.id_of(endpoint)} {target.flags}")
        raise CommandError(
            f"the endpoint {endpoint.display_name} serves nothing ({target}): "
            f"`{deploy}` deploys the champion there"
        )
    return ServedModel(target, endpoint, about)
