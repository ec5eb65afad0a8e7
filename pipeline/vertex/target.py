"""Where on Google Cloud a run goes: project and region, credentials and Google's clients."""

import dataclasses
import functools
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import Any, Final

from components.dataset.refusals import reading_credentials
from pipeline.errors import UsageError

PROJECT: Final = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
"""A project's id; some old ones have a domain in front."""
REGION: Final = re.compile(r"[a-z]+-[a-z]+[0-9]{1,2}")
SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
OVERRIDE: Final = "CLOUDSDK_API_ENDPOINT_OVERRIDES_"
"""How gcloud's variables begin that replace a service's address."""
SECONDS: Final = 30.0
"""How long one answer may take."""
RETRY_SECONDS: Final = 40.0
"""How long a request that failed in passing is repeated."""


@dataclasses.dataclass(frozen=True)
class Target:
    """A project's id and a region, as ``europe-west4``."""

    project: str
    region: str

    @property
    def parent(self) -> str:
        """The resource name above everything of Vertex AI."""
        return f"projects/{self.project}/locations/{self.region}"

    @property
    def flags(self) -> str:
        """Project and region as options of a command."""
        return f"--project {self.project} --region {self.region}"

    def __str__(self) -> str:
        return f"project {self.project} in {self.region}"

    @functools.cached_property
    def credentials(self) -> Any:
        """The application default credentials; a ``CloudError`` if there are none."""
        from pipeline.vertex.refusals import explained

        with explained("sign in", self):
            return default_credentials()

    def client(self, service: str) -> Any:
        """Google's client of ``Pipeline``, ``Schedule`` or ``Metadata``, in the region."""
        from google.cloud import aiplatform_v1

        return getattr(aiplatform_v1, f"{service}ServiceClient")(
            credentials=self.credentials,
            transport="rest",
            client_options={"api_endpoint": endpoint("aiplatform", self.region)},
        )


def resolve(project: str | None, region: str | None) -> Target:
    """The target that the options, the environment or gcloud's configuration name.

    Raises:
        UsageError: One of them is set nowhere, or is not valid.
    """
    return Target(
        _found("project", project, "CLOUDSDK_CORE_PROJECT", "core/project", PROJECT),
        _found("region", region, "CLOUDSDK_AI_REGION", "ai/region", REGION),
    )


def _found(
    what: str, given: str | None, variable: str, configured: str, pattern: re.Pattern[str]
) -> str:
    google = f"GOOGLE_CLOUD_{what.upper()}"
    value = given or os.environ.get(google) or os.environ.get(variable) or _gcloud(configured)
    if not pattern.fullmatch(value):
        fault = f"{what} {value!r} cannot be a {what}" if value else f"no {what} is set"
        raise UsageError(
            f"{fault}: give --{what}, set {google}, or run `gcloud config set {configured} …`"
        )
    return value


def _gcloud(name: str) -> str:
    """A property of gcloud's active configuration; empty if it is unset or gcloud is missing."""
    command = [shutil.which("gcloud") or "gcloud", "config", "get-value", name, "--quiet"]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().removeprefix("(unset)")


def default_credentials() -> Any:
    """The application default credentials."""
    import google.auth

    with reading_credentials():
        found, _project = google.auth.default(scopes=[SCOPE])
    return found


def endpoint(service: str, region: str = "") -> str:
    """The address of a service, in a region if it has one address for each."""
    host = f"{region}-{service}" if region else service
    usual = f"https://{host}.googleapis.com"
    return os.environ.get(OVERRIDE + service.upper(), usual).rstrip("/")


def patient(
    seconds: float | None = None, on_error: Callable[[Exception], None] | None = None
) -> Any:
    """A ``google.api_core.retry.Retry``: how a request that failed in passing is repeated.

    ``on_error`` is called with each error after which the request is repeated.
    """
    import requests
    from google.api_core.exceptions import ServerError, TooManyRequests
    from google.api_core.retry import Retry, if_exception_type
    from google.auth.exceptions import TransportError

    passing = if_exception_type(
        TooManyRequests, ServerError, TransportError, requests.RequestException
    )
    return Retry(passing, initial=0.5, timeout=seconds or RETRY_SECONDS, on_error=on_error)
