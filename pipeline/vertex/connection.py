"""Google's clients, with the environment's credentials.

Each service's address can be replaced as gcloud's can: ``CLOUDSDK_API_ENDPOINT_OVERRIDES_…``.
"""

import os
from collections.abc import Callable
from typing import Any, Final

from pipeline.vertex.target import Target

SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
OVERRIDE: Final = "CLOUDSDK_API_ENDPOINT_OVERRIDES_"
SECONDS: Final = 30.0
"""How long one answer may take."""
AGAIN_SECONDS: Final = 40.0
"""How long a read that failed in passing is repeated."""


def credentials() -> Any:
    """The application default credentials.

    Raises:
        google.auth.exceptions.DefaultCredentialsError: There are none.
    """
    import google.auth

    found, _project = google.auth.default(scopes=[SCOPE])
    return found


def endpoint(service: str, region: str = "") -> str:
    """The address of a service: ``https://…`` without a slash at its end.

    Args:
        service: ``aiplatform``, ``serviceusage`` or ``iam``.
        region: The region whose address it is; empty: the service has one address only.
    """
    host = f"{region}-{service}" if region else service
    usual = f"https://{host}.googleapis.com"
    return os.environ.get(OVERRIDE + service.upper(), usual).rstrip("/")


def pipelines(target: Target, credentials: Any) -> Any:
    """A ``PipelineServiceClient`` for the target's region."""
    from google.cloud.aiplatform_v1 import PipelineServiceClient

    return _client(PipelineServiceClient, target, credentials)


def schedules(target: Target, credentials: Any) -> Any:
    """A ``ScheduleServiceClient`` for the target's region."""
    from google.cloud.aiplatform_v1 import ScheduleServiceClient

    return _client(ScheduleServiceClient, target, credentials)


def metadata(target: Target, credentials: Any) -> Any:
    """A ``MetadataServiceClient`` for the target's region."""
    from google.cloud.aiplatform_v1 import MetadataServiceClient

    return _client(MetadataServiceClient, target, credentials)


def _client(kind: Callable[..., Any], target: Target, credentials: Any) -> Any:
    options = {"api_endpoint": endpoint("aiplatform", target.region)}
    return kind(credentials=credentials, transport="rest", client_options=options)


def patient() -> Any:
    """How a read is repeated when it fails in passing."""
    from google.api_core.retry import Retry

    return Retry(predicate=passing, initial=0.5, maximum=8.0, timeout=AGAIN_SECONDS)


def failures() -> tuple[type[Exception], ...]:
    """What Google's clients raise where a service refuses or does not answer."""
    import requests
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    return GoogleAPIError, GoogleAuthError, requests.exceptions.RequestException


def passing(error: BaseException) -> bool:
    """Whether an error may be gone when the same is asked again."""
    import requests
    from google.api_core import exceptions
    from google.auth.exceptions import TransportError

    kinds = (
        exceptions.TooManyRequests,
        exceptions.ServerError,
        requests.exceptions.ConnectionError,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.Timeout,
        TransportError,
    )
    return isinstance(error, kinds)


def unwrapped(error: BaseException) -> BaseException:
    """The error that ended a repeated read, instead of the one that says it was repeated."""
    from google.api_core.exceptions import RetryError

    return error.cause if isinstance(error, RetryError) and error.cause else error
