"""The containers that can serve the model: the one place of their images, ports and routes."""

import base64
import datetime
import io
import re
import zipfile
from typing import Any, Final

from components.dataset.code import travelling
from components.dataset.errors import ParameterError

STOCK: Final = "us-docker.pkg.dev/vertex-ai/training/tf-cpu.2-17.py310:latest"
"""An image of Google's with Python 3.10, in which the server installs itself."""
PREBUILT: Final = "us-docker.pkg.dev/vertex-ai/prediction/tf2-cpu.2-15:latest"
"""Vertex AI's newest prebuilt TensorFlow image, with a server of Google's."""
LAST_DAYS: Final = {PREBUILT: datetime.date(2027, 1, 14)}
"""The last day on which an image is available."""
KNOWN: Final = re.compile(r"(us|europe|asia)-docker\.pkg\.dev/vertex-ai/prediction/.+")
"""Images whose port and routes the service knows."""
BARE: Final = re.compile(r"(us|europe|asia)-docker\.pkg\.dev/vertex-ai/training/[^:@]+")
"""The beginning of images without a server."""
PYTHON: Final = ".py310"
"""The end of their names, if the server can install itself there."""
IMAGE: Final = re.compile(r"[a-z0-9.-]+(:\d+)?/[\w./-]+(:[\w.-]+)?(@sha256:[0-9a-f]{64})?")
"""An image with its registry: ``europe-docker.pkg.dev/PROJECT/REPOSITORY/NAME@sha256:…``."""
SERVER: Final = ("serving.__main__", "serving.installing")
"""The modules that serve, and install what they need."""
START: Final = (
    "import base64,os,runpy,sys,tempfile;"
    "file,path=tempfile.mkstemp('.zip');"
    "os.write(file,base64.b64decode(sys.argv[1]));"
    "sys.path[0]=path;"
    "runpy.run_module('serving.installing',run_name='__main__')"
)
"""Runs the code of its argument. No character of it means something in JSON or to Kubernetes."""
OWN: Final[dict[str, Any]] = {
    "ports": [{"containerPort": 8080}],
    "predictRoute": "/predict",
    "healthRoute": "/health",
}
"""Port and routes of the server."""
INSTALLATION: Final = "1800s"
"""How long a deployment may take in which the server installs itself."""


def check_image(image: str) -> None:
    """Refuses what cannot be the name of an image.

    Raises:
        ParameterError: It is not one.
    """
    if not IMAGE.fullmatch(image):
        raise ParameterError(
            f"serving_image is {image!r}, which names no image; "
            f"leave it out, or give one as {STOCK}"
        )
    if (bare := BARE.match(image)) and not bare[0].endswith(PYTHON):
        raise ParameterError(
            f"serving_image is {image!r}, and the server installs itself in Python 3.10 only; "
            f"leave it out, or give one as {STOCK}"
        )


def container_spec(image: str) -> dict[str, Any]:
    """The ``containerSpec`` of a model that an image serves.

    Raises:
        ParameterError: It is not the name of an image.
    """
    check_image(image)
    spec = {"imageUri": image}
    if KNOWN.fullmatch(image):
        return spec
    if BARE.match(image):
        command = {"command": ["python3", "-c", START], "args": [_server()]}
        return {**spec, **command, **OWN, "deploymentTimeout": INSTALLATION}
    return {**spec, **OWN}


def _server() -> str:
    """The server's code and pins: a zip file in base64."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in travelling(SERVER).items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)
    return base64.b64encode(file.getvalue()).decode()
