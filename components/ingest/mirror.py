"""A mirror that serves the files over HTTP, read with bounds on time and size."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urljoin

import requests
import urllib3

from components.dataset.errors import SourceError
from components.ingest.credentials import redacted

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 20.0
"""Longest silence between two packets."""
GRACE_SECONDS: Final = 15.0
"""How long a body may be slow before its speed counts."""
MIN_BYTES_PER_SECOND: Final = 50_000.0
"""Mean speed below which a mirror is given up: the largest file would take nine minutes."""
MAX_BYTES: Final = 4 << 30
"""No file of this kind is larger; an endless body ends here at the latest."""


MAX_LOST_CONNECTIONS: Final = 3
"""After so many failures to connect in a row a mirror is not asked for further files."""


class TransientError(SourceError):
    """A failure that may be gone at the next attempt."""


class Mirror:
    """An ``http(s)://`` base address."""

    def __init__(self, base: str) -> None:
        self._base = base if base.endswith("/") else f"{base}/"
        self.label = redacted(self._base)
        self._lost_connections = 0

    @contextmanager
    def open(self, name: str) -> Iterator["Body"]:
        """Requests ``<name>.gz``, or ``<name>`` where that is not found.

        Raises:
            TransientError: No connection, a time-out, 429 or 5xx.
            SourceError: Any other answer than 200.
        """
        with requests.Session() as session:
            response = self._get(session, f"{name}.gz")
            if response.status_code == 404:
                response = self._get(session, name)
            if response.status_code != 200:
                transient = response.status_code == 429 or response.status_code >= 500
                kind = TransientError if transient else SourceError
                raise kind(f"HTTP {response.status_code} {response.reason}")
            yield Body(response)

    def _get(self, session: requests.Session, file: str) -> requests.Response:
        if self._lost_connections >= MAX_LOST_CONNECTIONS:
            raise SourceError("was not reachable for an earlier file")
        try:
            response = session.get(
                urljoin(self._base, file),
                # Not transfer-encoded: the gzip bytes of the file itself are wanted.
                headers={"Accept-Encoding": "identity"},
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                stream=True,
            )
        except (requests.ConnectionError, requests.Timeout) as error:
            self._lost_connections += 1
            raise TransientError(f"no connection ({_reason(error)})") from error
        # Beside its own errors, requests lets pass what fails in the parsing of an address.
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            ValueError,
            TypeError,
        ) as error:
            raise SourceError(f"unusable address or answer ({_reason(error)})") from error
        self._lost_connections = 0
        return response


class Body:
    """The body of an answer; every read is bounded in time, the whole in size and speed.

    Attributes:
        total: Expected bytes, None when the server does not say.
    """

    def __init__(self, response: requests.Response) -> None:
        self._raw: Any = response.raw
        length = response.headers.get("Content-Length", "")
        self.total = int(length) if length.isdigit() else None
        self._started = time.monotonic()
        self._received = 0

    def read(self, size: int, /) -> bytes:
        """Reads at most ``size`` bytes, what one packet brought.

        Raises:
            TransientError: The connection broke, or was silent for ``READ_SECONDS``.
            SourceError: The body is too slow or too large.
        """
        try:
            content: bytes = self._raw.read1(size, decode_content=False) or b""
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise TransientError(
                f"connection lost after {self._received} bytes ({_reason(error)})"
            ) from error
        self._received += len(content)
        self._check_pace()
        return content

    def _check_pace(self) -> None:
        seconds = time.monotonic() - self._started
        if seconds > GRACE_SECONDS and self._received < MIN_BYTES_PER_SECOND * seconds:
            speed = self._received / seconds / 1000
            raise SourceError(f"too slow ({speed:.1f} kB/s after {seconds:.0f} s)")
        if self._received > MAX_BYTES:
            raise SourceError(f"too large (more than {MAX_BYTES} bytes)")


def _reason(error: BaseException) -> str:
    """The innermost cause, short enough for a line."""
    inner = getattr(error, "reason", None)
    while isinstance(inner, BaseException) and getattr(inner, "reason", None) is not None:
        inner = getattr(inner, "reason", None)
    text = redacted(" ".join(str(inner or error).split()))
    return text if len(text) <= 120 else f"{text[:117]}..."
