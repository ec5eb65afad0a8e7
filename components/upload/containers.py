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
        port: Where it listens; 0: the service knows port and routes.
        predict_route: Path of predictions.
        health_route: Path of the health check.
        until: The last day on which the image is available; None: no such day is known.
    """

    images: str
    port: int = 0
    predict_route: str = ""
    health_route: str = ""
    until: datetime.date | None = None

    def spec(self, image: str) -> dict[str, Any]:
        """The ``containerSpec`` of a model that this container serves."""
        if not self.port:
            return {"imageUri": image}
        return {
            "imageUri": image,
            "ports": [{"containerPort": self.port}],
            "predictRoute": self.predict_route,
            "healthRoute": self.health_route,
        }


CONTAINERS: Final = (
    Container(re.escape(PREBUILT), until=datetime.date(2027, 1, 14)),
    Container(r"(us|europe|asia)-docker\.pkg\.dev/vertex-ai/prediction/.+"),
    # serving/Dockerfile builds it; the routes are TensorFlow Serving's.
    Container(".+", 8080, f"/v1/models/{MODEL}:predict", f"/v1/models/{MODEL}"),
)
"""The first that matches an image is its kind."""


def container_of(image: str) -> Container:
    """The kind of an image.

    Raises:
        ParameterError: It is not the name of an image.
    """
    for container in CONTAINERS:
        if re.fullmatch(container.images, image):
            return container
    raise ParameterError(
        f"serving_image is {image!r}, which names no image; leave it out, or give one as {PREBUILT}"
    )
