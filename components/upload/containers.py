"""The containers that can serve the model: the one place of their images, ports and routes."""

import datetime
import re
from typing import Any, Final

from components.dataset.errors import ParameterError

PREBUILT: Final = "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"
"""Vertex AI's newest prebuilt TensorFlow image."""
LAST_DAYS: Final = {PREBUILT: datetime.date(2027, 1, 14)}
"""The last day on which an image is available."""
KNOWN: Final = re.compile(r"(us|europe|asia)-docker\.pkg\.dev/vertex-ai/prediction/.+")
"""Images whose port and routes the service knows."""
IMAGE: Final = re.compile(r"[a-z0-9.-]+(:\d+)?/[\w./-]+(:[\w.-]+)?(@sha256:[0-9a-f]{64})?")
"""An image with its registry: ``europe-docker.pkg.dev/PROJECT/REPOSITORY/NAME@sha256:…``."""
MODEL: Final = "fashion-mnist"
"""What TensorFlow Serving in the project's own image calls the model."""
OWN: Final[dict[str, Any]] = {
    "ports": [{"containerPort": 8080}],
    "predictRoute": f"/v1/models/{MODEL}:predict",
    "healthRoute": f"/v1/models/{MODEL}",
}
"""Port and TensorFlow Serving's routes of the image that serving/Dockerfile builds."""


def container_spec(image: str) -> dict[str, Any]:
    """The ``containerSpec`` of a model that an image serves.

    Raises:
        ParameterError: It is not the name of an image.
    """
    if not IMAGE.fullmatch(image):
        raise ParameterError(
            f"serving_image is {image!r}, which names no image; "
            f"leave it out, or give one as {PREBUILT}"
        )
    return {"imageUri": image, **({} if KNOWN.fullmatch(image) else OWN)}
