"""The containers that can serve the model: the one place of their images, ports and routes."""

import datetime
import re
from dataclasses import dataclass
from typing import Any, Final

from components.dataset.errors import ParameterError

PREBUILT: Final = "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"
"""Vertex AI's newest prebuilt TensorFlow image."""
MODEL: Final = "fashion-mnist"
"""What TensorFlow Serving in the project's own image calls the model."""


@dataclass(frozen=True)
class Container:
    """A kind of serving container.

    Attributes:
        images: What matches the whole name of its images.
        port: Where it listens; 0: the service knows.
        predict_route: Path of predictions; empty: the service knows.
        health_route: Path of the health check; empty: the service knows.
        until: The last day on which the image can be had; None: no such day is known.
    """

    images: re.Pattern[str]
    port: int = 0
    predict_route: str = ""
    health_route: str = ""
    until: datetime.date | None = None

    def spec(self, image: str) -> dict[str, Any]:
        """The ``containerSpec`` of a model that this container serves."""
        spec: dict[str, Any] = {"imageUri": image}
        if self.port:
            spec["ports"] = [{"containerPort": self.port}]
            spec["predictRoute"] = self.predict_route
            spec["healthRoute"] = self.health_route
        return spec


CONTAINERS: Final = (
    Container(re.compile(re.escape(PREBUILT)), until=datetime.date(2027, 1, 14)),
    Container(re.compile(r"(us|europe|asia)-docker\.pkg\.dev/vertex-ai/prediction/.+")),
    # What serving/Dockerfile makes; its routes are those of TensorFlow Serving.
    Container(
        re.compile(".+"),
        port=8080,
        predict_route=f"/v1/models/{MODEL}:predict",
        health_route=f"/v1/models/{MODEL}",
    ),
)
"""The first that matches an image is its kind."""


def container_of(image: str) -> Container:
    """The kind of an image.

    Raises:
        ParameterError: It is the name of no image.
    """
    for container in CONTAINERS:
        if container.images.fullmatch(image):
            return container
    raise ParameterError(
        f"serving_image is {image!r}, which names no image; leave it out, or give one as {PREBUILT}"
    )
