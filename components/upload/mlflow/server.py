"""MLflow's server: its address, its names, and what its refusals mean."""

import contextlib
import os
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from components.dataset.errors import ParameterError, StepError
from components.dataset.redaction import one_line

ALIAS: Final = "champion"
"""The alias of the champion; an upload gives it to the new version."""
NO_ALIAS: Final = "none"
DIGEST: Final = "model_digest"
"""The tag of a version with the digest of its model."""
RUN: Final = "kubeflow_run"
"""The tag of a version with the id of the run that made it."""
MISSING: Final = "RESOURCE_DOES_NOT_EXIST"
REFUSED: Final = ("UNAUTHENTICATED", "PERMISSION_DENIED")
OF_ANOTHER: Final = ("MLFLOW_TRACKING_AUTH", "MLFLOW_WORKSPACE")
"""Variables that belong to the server in ``MLFLOW_TRACKING_URI``."""
SETTINGS: Final = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_RUN_CONTEXT": '{"mlflow.source.name": "fashion-mnist", "mlflow.source.type": "JOB"}',
}
"""Variables that are set unless they are given: retries of a request, and seconds of one.

By itself MLflow tries for a quarter of an hour, reports to its makers what it is used for, and
calls a run's source by the name of KFP's temporary file.
"""

STORE: Final = (
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_ENDPOINT_URL if it is not Amazon's, or "
    "Google's default credentials"
)


class MlflowError(StepError):
    """MLflow's server refuses or cannot be reached, or has not what is needed."""


def check_names(model_name: str, champion_alias: str) -> None:
    """Refuses names that no registered model or no alias can have.

    Raises:
        ParameterError: One of them cannot be.
    """
    if not re.fullmatch(r"[^/:?\"\x00-\x1f]{1,256}", model_name) or not model_name.strip(". "):
        raise ParameterError(
            f"model_name {model_name!r} cannot be a registered model of MLflow: it needs 1 to 256 "
            'characters without / : ? "'
        )
    is_alias = re.fullmatch(r"[\w-]{1,255}", champion_alias, re.ASCII)
    if not is_alias or re.fullmatch("latest|v[0-9]+", champion_alias, re.IGNORECASE):
        raise ParameterError(
            f"champion_alias {champion_alias!r} is neither an alias of MLflow (letters, digits, _ "
            "and -; not latest, not v1) nor a version's number; give one of them, or none"
        )


def check_address(tracking_uri: str) -> None:
    """Refuses what is no address of a server, or holds a password; the error does not repeat it.

    Raises:
        ParameterError: It is such an address.
    """
    if not tracking_uri:
        return
    if "@" in tracking_uri:
        raise ParameterError(
            "tracking_uri has a user or a password, and a run stores its parameters as plain text; "
            "leave it out and set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
    if not re.fullmatch(r"https?://[^/?#\s]+[^?#\s]*", tracking_uri):
        raise ParameterError(
            "tracking_uri is no address of a server; give one as http://HOST:5000, or leave it out"
        )


def check_champion_uri(champion_uri: str, tracking_uri: str) -> None:
    """Refuses an address that no model can have, or that has no meaning here.

    Raises:
        ParameterError: It is such an address.
    """
    if champion_uri and tracking_uri:
        raise ParameterError(
            "champion_uri is for a run without tracking_uri; in MLflow's registry the champion is "
            "the version with champion_alias: leave one of them out"
        )
    if re.match(r"[^:/]+://([^/]*@|.*\?)", champion_uri):
        raise ParameterError(
            "champion_uri has a user, a password or a query, and a run stores its parameters as "
            f"plain text; leave it out, and give the step what its store needs: {STORE}"
        )
    if not re.fullmatch(r"(?:(?:s3|minio|gs)://[^/\s]+/|file:///|/)\S.*|", champion_uri):
        raise ParameterError(
            f"champion_uri {champion_uri!r} is no address of a model; give the folder of a "
            "SavedModel as s3://BUCKET/FOLDER, minio://…, gs://… or an absolute path"
        )


def prepare(tracking_uri: str) -> None:
    """Sets what MLflow reads when it is imported, and later."""
    # Kubeflow's own plugin can have set them: a run that must not be continued, and how to sign in
    # at its server.
    os.environ.pop("MLFLOW_RUN_ID", None)
    if os.environ.get("MLFLOW_TRACKING_URI", tracking_uri).rstrip("/") != tracking_uri.rstrip("/"):
        for name in OF_ANOTHER:
            os.environ.pop(name, None)
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)


def connect(tracking_uri: str) -> Any:
    """MLflow's client, with the environment's credentials."""
    import mlflow

    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_registry_uri(tracking_uri)
    return mlflow.MlflowClient()


def versions(client: Any, model_name: str) -> list[Any]:
    """All versions of a registered model, with their tags."""
    return list(client.search_model_versions(f'name="{model_name}"'))


def is_missing(error: Any) -> bool:
    """Whether the server says that there is no such thing."""
    return getattr(error, "error_code", "") == MISSING


@contextlib.contextmanager
def refusals(tracking_uri: str, doing: str) -> Iterator[None]:
    """Turns what the server or its artifact store refuses into a ``MlflowError`` of one line."""
    from mlflow.exceptions import MlflowException
    from requests import RequestException

    try:
        yield
    except (MlflowException, RequestException, OSError) as error:
        raise MlflowError(_explained(error, tracking_uri, doing)) from error
    except Exception as error:
        if not is_of_store(error):
            raise
        cure = f"give the steps what MLflow's artifact store needs: {STORE}"
        raise MlflowError(f"could not {doing} ({one_line(error)}); {cure}") from error


def is_of_store(error: Exception) -> bool:
    """Whether a store's own client raised it: Amazon's or Google's."""
    return type(error).__module__.startswith(("boto", "google"))


def _host(address: str) -> str:
    """What the header ``Host`` of a request to an address says."""
    url = urlsplit(address)
    usual = {"http": ":80", "https": ":443"}.get(url.scheme, "")
    return url.netloc.removesuffix(usual)


def _explained(error: Exception, tracking_uri: str, doing: str) -> str:
    place, words = f"MLflow's server at {tracking_uri}", one_line(error)
    code = re.search(r"error code (\d{3})|\b(\d{3}) Client Error", words)
    status = int(code[1] or code[2]) if code else 0
    if "Invalid Host header" in words:
        return (
            f"{place} did not let the step {doing}, since it does not know itself by that name; "
            f"add {_host(tracking_uri)} to its --allowed-hosts"
        )
    if status in (401, 403) or getattr(error, "error_code", "") in REFUSED:
        cure = (
            "give the steps MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
            "MLFLOW_TRACKING_TOKEN, of an account that may"
        )
        return f"{place} did not let the step {doing} ({words}); {cure}"
    if "Max retries exceeded" in words or isinstance(error, ConnectionError):
        return (
            f"{place} does not answer, so the step could not {doing}; check tracking_uri, and "
            f"that the steps can reach it, and run again ({words})"
        )
    return f"{place} could not {doing} ({words}); check tracking_uri and the server's log"
