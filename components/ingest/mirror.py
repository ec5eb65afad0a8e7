"""A mirror that serves the files over HTTP, read with bounds on time and size."""

import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from components.dataset.errors import SourceError
from components.dataset.redaction import one_line, redacted
from components.ingest import connection

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 20.0
"""Longest silence between two packets."""
MAX_LOST_CONNECTIONS: Final = 3
"""After so many failures to connect in a row a mirror is not asked for further files."""
MAX_REDIRECTS: Final = 5
LONGEST: Final = 120
"""Characters of what another machine says, in an error."""


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
            SourceError: Any other answer than 200, a certificate that is not accepted, a redirect
                that leads nowhere, an address that is link-local.
        """
        with connection.Session() as session:
            response = self._get(session, f"{name}.gz")
            if response.status_code == 404:
                response.close()
                response = self._get(session, name)
            if response.status_code != 200:
                transient = response.status_code == 429 or response.status_code >= 500
                kind = TransientError if transient else SourceError
                raise kind(one_line(f"HTTP {response.status_code} {response.reason}", LONGEST))
            yield Body(response)

    def _get(self, session: requests.Session, file: str) -> requests.Response:
        if self._lost_connections >= MAX_LOST_CONNECTIONS:
            raise SourceError("was not reachable for an earlier file")
        url = urljoin(self._base, file)
        for _ in range(1 + MAX_REDIRECTS):
            response = self._ask(session, url)
            if not response.is_redirect:
                return response
            response.close()
            url = _target(response)
        raise SourceError(f"more than {MAX_REDIRECTS} redirects")

    def _ask(self, session: requests.Session, url: str) -> requests.Response:
        try:
            response = session.get(
                url,
                # Not transfer-encoded: the gzip bytes of the file itself are wanted.
                headers={"Accept-Encoding": "identity"},
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                stream=True,
            )
        except (requests.ConnectionError, requests.Timeout) as error:
            if _is_distrusted(error):
                raise SourceError(f"its certificate is not accepted ({_reason(error)})") from error
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
    """The body of an answer.

    Attributes:
        total: Expected bytes, None when the server does not say.
    """

    def __init__(self, response: requests.Response) -> None:
        self._raw: Any = response.raw
        self.total: int | None = self._raw.length_remaining
        self._received = 0
        if self.total is not None and self.total > connection.MAX_BYTES:
            raise SourceError(f"too large (announces more than {connection.MAX_BYTES} bytes)")

    def read(self, size: int, /) -> bytes:
        """Reads at most ``size`` bytes, what one packet brought.

        Raises:
            TransientError: The connection broke, or was silent for ``READ_SECONDS``.
            SourceError: The body is too slow or too large.
        """
        try:
            content: bytes = self._raw.read1(size, decode_content=False) or b""
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise TransientError(
                f"connection lost after {self._received} bytes ({_reason(error)})"
            ) from error
        self._received += len(content)
        return content


def _target(response: requests.Response) -> str:
    """Where a redirect leads to.

    Raises:
        SourceError: That is no ``http(s)://`` address.
    """
    # Headers are decoded as Latin-1, addresses are UTF-8.
    location = response.headers["Location"].encode("latin-1").decode(errors="replace")
    try:
        target = urljoin(response.url, location)
        parts = urlsplit(target)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return target
    except ValueError as error:
        # The parser's own words repeat a part of the address, as half of a password.
        raise SourceError("redirects to an unusable address") from error
    raise SourceError(one_line(f"redirects to {target}, not to http:// or https://", LONGEST))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps, the innermost last."""
    yield error
    for inner in (getattr(error, "reason", None), *error.args):
        if isinstance(inner, BaseException):
            yield from _causes(inner)
            return


def _is_distrusted(error: BaseException) -> bool:
    """Whether the other side's certificate was refused: it will be at the next attempt too."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def _reason(error: BaseException) -> str:
    """The innermost cause, short enough for a line."""
    *_, cause = _causes(error)
    # urllib3 begins with the connection, which the line names already.
    return one_line(re.sub(r"^\w+\(host=[^)]*\): ", "", str(cause)), LONGEST)
