"""The Cloud Storage client, and its errors as sentences for a person.

With ``STORAGE_EMULATOR_HOST`` set the client talks to that emulator without credentials,
otherwise to Cloud Storage with the default credentials.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final

from components.dataset.errors import BucketError
from components.dataset.redaction import one_line

TIMEOUT: Final = (10.0, 60.0)
"""Seconds to connect and between two packets."""
RETRY_SECONDS: Final = 60.0
"""How long the client's own retries of one call go on."""


@contextmanager
def storage_call(uri: str, role: str) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Gives a client, and turns the errors of the block's calls into ``BucketError``.

    Args:
        uri: What the block works on, for the error's text.
        role: The role under ``roles/storage.`` that the calls need.

    Yields:
        The client, and the arguments that bound a call: ``timeout`` and ``retry``.

    Raises:
        BucketError: The bucket or object is missing, refuses, is damaged or out of reach.
    """
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.storage.exceptions import DataCorruption
    from google.cloud.storage.retry import DEFAULT_RETRY
    from requests import RequestException

    bounds = {"timeout": TIMEOUT, "retry": DEFAULT_RETRY.with_timeout(RETRY_SECONDS)}
    try:
        yield _client_for(os.environ.get("STORAGE_EMULATOR_HOST", "")), bounds
    except GoogleAuthError as error:
        raise BucketError(
            f"{uri} needs credentials ({one_line(error)}); run gcloud auth application-default "
            "login"
        ) from error
    except DataCorruption as error:
        raise BucketError(f"{uri} arrived damaged ({one_line(error)}); run again") from error
    except (GoogleAPIError, RequestException) as error:
        raise BucketError(_explain(uri, role, error)) from error


@lru_cache(maxsize=4)
def _client_for(emulator: str) -> Any:
    """The storage client; one for each value of ``STORAGE_EMULATOR_HOST``, empty for none."""
    from google.cloud.storage import Client

    # No project: objects need none, and looking for one needs the metadata server.
    return Client(project=None)


def _explain(uri: str, role: str, error: Exception) -> str:
    from google.api_core.exceptions import Forbidden, NotFound, Unauthorized

    bucket, _, name = uri.removeprefix("gs://").partition("/")
    if isinstance(error, NotFound):
        if name and "bucket does not exist" not in str(error):
            return f"{uri} is gone; run again with --no-cache to land it anew"
        return (
            f"the bucket gs://{bucket} does not exist; create it (gcloud storage buckets create "
            f"gs://{bucket}) or give another one"
        )
    if isinstance(error, Forbidden | Unauthorized):
        return (
            f"{uri} refuses ({one_line(error)}); grant the role roles/storage.{role} on "
            f"gs://{bucket} to the account that runs this step"
        )
    return f"{uri} cannot be reached ({one_line(error)}); look at the network and run again"
