"""Where on Google Cloud a run goes: project and region, credentials and Google's clients."""

import dataclasses
import difflib
import functools
import importlib.resources
import logging
import os
import re
import shutil
import subprocess
import urllib.parse
from collections.abc import Callable
from typing import Any, Final

from components.dataset.sign_in import reading_credentials
from pipeline.errors import UsageError

PROJECT: Final = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|[1-9][0-9]{5,18}")
"""A project's id, or its number; some old ids have a domain in front."""
REGION: Final = re.compile(r"[a-z]+-[a-z]+[0-9]{1,2}")
CONSOLE: Final = "https://console.cloud.google.com"
PAGES: Final = {"pipelineJobs": "runs", "schedules": "schedules"}
"""What the console's addresses call each kind of resource."""
SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
OVERRIDE: Final = "CLOUDSDK_API_ENDPOINT_OVERRIDES_"
"""How gcloud's variables begin that replace a service's address."""
SECONDS: Final = 30.0
"""How long one answer may take."""
RETRY_SECONDS: Final = 40.0
"""How long a request that failed in passing is repeated."""

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True)
class Target:
    """A project's id or number, and a region, as ``europe-west4``."""

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


def resolve(project: str | None, region: str | None, *faults: str, name: str = "") -> Target:
    """The target that the options, the environment or gcloud's configuration name.

    ``faults`` are what else is wrong with the options, to be reported at the same time. ``name``
    is what a person gave with project and region in it. A region that the SDK does not list is a
    warning in the log.

    Raises:
        UsageError: One of them is set nowhere, or is not valid; the text has a line for each.
    """
    found, wrong = {}, list(faults)
    for what, given, variable, configured, pattern in (
        ("project", project, "CLOUDSDK_CORE_PROJECT", "core/project", PROJECT),
        ("region", region, "CLOUDSDK_AI_REGION", "ai/region", REGION),
    ):
        google = f"GOOGLE_CLOUD_{what.upper()}"
        value = given
        if value is None:
            value = os.environ.get(google) or os.environ.get(variable) or _gcloud(configured)
        found[what] = value
        if not pattern.fullmatch(value):
            fault = f"{what} {value!r} cannot be a {what}" if value else f"no {what} is set"
            cure = f"give --{what}, set {google}, or run `gcloud config set {configured} …`"
            wrong.append(f"{fault}: {f'correct {name}' if name else cure}")
    if wrong:
        raise UsageError("\n".join(wrong))
    if found["region"] not in known_regions():
        near = difflib.get_close_matches(found["region"], known_regions(), n=1, cutoff=0.9)
        hint = f"did you mean {near[0]}?" if near else "it may be new, or mistyped"
        log.warning("warning: the SDK does not list the region %s; %s", found["region"], hint)
    return Target(**found)


def located(
    reference: str, kind: str, project: str | None, region: str | None
) -> tuple[Target, str]:
    """Where a job or a schedule is, and the last part of its name.

    A full name, as the service prints it with the project's number, and the address of a page in
    the console win over the options. Anything else is the last part itself.

    Args:
        reference: What a person gave.
        kind: ``pipelineJobs`` or ``schedules``.
        project: None: from the environment or gcloud's configuration, as the region.
        region: As ``europe-west4``.

    Raises:
        UsageError: There is no project or region, or one is not valid.
    """
    if found := re.fullmatch(f"projects/([^/]+)/locations/([^/]+)/{kind}/([^/]+)", reference):
        return resolve(found[1], found[2], name=reference), found[3]
    page = urllib.parse.urlsplit(reference)
    of_project = urllib.parse.parse_qs(page.query).get("project")
    place = re.search(rf"/locations/([^/]+)/(?:pipelines/)?{PAGES[kind]}/([^/]+)", page.path)
    if reference.startswith(f"{CONSOLE}/vertex-ai/") and place and of_project:
        return resolve(of_project[0], place[1], name=reference), place[2]
    return resolve(project, region), reference


@functools.cache
def known_regions() -> frozenset[str]:
    """The regions in the SDK's list, read from its file, since its import takes seconds."""
    package = importlib.resources.files("google.cloud").joinpath("aiplatform")
    text = package.joinpath("constants").joinpath("base.py").read_text()
    return frozenset(re.findall(f'"({REGION.pattern})"', text))


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
