"""Brings the model here and starts TensorFlow Serving as Vertex AI asks for it.

Vertex AI names the model's folder, the port and the two routes in the environment. TensorFlow
Serving reads no bucket without a version's number in the path, so the model is copied first.
"""

import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from components.dataset.errors import StepError
from components.dataset.folder import fetch
from components.dataset.places import local_path

SERVER: Final = "tensorflow_model_server"
SAVED_MODEL: Final = "saved_model.pb"
ROUTE: Final = re.compile(r"/v1/models/(?P<model>[\w-]+)")
"""TensorFlow Serving's own path of a model; its health is there, predictions at ``:predict``."""


class ServingError(StepError):
    """A container that was asked for what it cannot do."""


def main() -> int:
    """Starts the server in place of this process; returns an exit code when it cannot."""
    try:
        command = prepare(os.environ, Path(tempfile.mkdtemp(prefix="models-")))
    except StepError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the container's log
        return 1
    os.execvp(command[0], command)  # noqa: S606 - the server replaces this process
    return 1


def prepare(environment: Mapping[str, str], models: Path) -> list[str]:
    """Copies the model to ``models`` and returns the server's command.

    Raises:
        ServingError: A variable is missing, or names what the server cannot do.
        PlaceError: The model's folder is neither in a bucket nor here.
        BucketError: The bucket is missing, refuses, or cannot be reached.
    """
    name = model_name(environment)
    port = _value(environment, "AIP_HTTP_PORT")
    if not port.isdigit():
        raise ServingError(f"AIP_HTTP_PORT is {port!r}; it must be a port's number")
    place = _value(environment, "AIP_STORAGE_URI")
    version = models / name / "1"
    path = local_path(place)
    if path is None:
        fetch(place, version)
    else:
        version.parent.mkdir(parents=True)
        version.symlink_to(path.resolve())
    if not (version / SAVED_MODEL).is_file():
        raise ServingError(f"{place} holds no {SAVED_MODEL}; upload a SavedModel's folder")
    return [
        SERVER,
        f"--rest_api_port={port}",
        "--port=0",
        f"--model_name={name}",
        f"--model_base_path={models / name}",
    ]


def model_name(environment: Mapping[str, str]) -> str:
    """The model's name, which the two routes share.

    Raises:
        ServingError: A route is none of TensorFlow Serving's.
    """
    health = _value(environment, "AIP_HEALTH_ROUTE")
    predict = _value(environment, "AIP_PREDICT_ROUTE")
    found = ROUTE.fullmatch(health)
    if found is None or predict != f"{health}:predict":
        raise ServingError(
            f"the routes are {health!r} and {predict!r}, and TensorFlow Serving has only "
            "/v1/models/NAME and /v1/models/NAME:predict; upload the model with these"
        )
    return found["model"]


def _value(environment: Mapping[str, str], name: str) -> str:
    if not (value := environment.get(name, "")):
        raise ServingError(f"{name} is not set; Vertex AI sets it for a custom container")
    return value


if __name__ == "__main__":
    sys.exit(main())
