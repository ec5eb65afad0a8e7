"""A mirror that serves the files over HTTP, with limits on time and size."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urljoin

import requests
import urllib3

from components.dataset.errors import SourceError
from components.dataset.redaction import one_line, redacted
from components.ingest.progress import download_progress

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 20.0
"""Longest silence between two packets."""
TOTAL_SECONDS: Final = 900.0
"""Longest download of one file: for the largest one a mean speed of 30 kB/s."""
MAX_LOST_CONNECTIONS: Final = 3
"""After so many failures to connect in a row a mirror is not asked for further files."""
MAX_REDIRECTS: Final = 5
BLOCK: Final = 1 << 16
LONGEST: Final = 120
"""Characters quoted from another machine in an error."""


class TransientError(SourceError):
    """A failure that may be gone at the next attempt."""


class Mirror:
    """An ``http(s)://`` base address.

    Attributes:
        label: The address for logs and errors, without credentials.
    """

    def __init__(self, base: str) -> None:
        self._base = base if base.endswith("/") else f"{base}/"
        self.label = redacted(self._base)
        self._lost_connections = 0

    def download(self, name: str, path: Path, limit: int) -> None:
        """Writes ``<name>.gz`` to ``path``, or ``<name>`` where that is not found.

        Args:
            name: One of ``facts.FILES``.
            path: Where to write.
            limit: Most bytes to accept.

        Raises:
            TransientError: No connection, a time-out, 429 or 5xx.
            SourceError: Any other answer than 200, a certificate that is not accepted, a redirect
                that cannot be followed, a file that is too slow or too large.
        """
        with requests.Session() as session:
            session.max_redirects = MAX_REDIRECTS
            response = self._get(session, f"{name}.gz")
            if response.status_code == 404:
                response.close()
                response = self._get(session, name)
            if response.status_code != 200:
                transient = response.status_code == 429 or response.status_code >= 500
                kind = TransientError if transient else SourceError
                raise kind(one_line(f"HTTP {response.status_code} {response.reason}", LONGEST))
            _save(response, path, limit)

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
        except requests.exceptions.SSLError as error:
            raise SourceError(f"no trusted TLS connection ({_reason(error)})") from error
        except (requests.ConnectionError, requests.Timeout) as error:
            self._lost_connections += 1
            raise TransientError(f"no connection ({_reason(error)})") from error
        except requests.TooManyRedirects as error:
            raise SourceError(f"more than {MAX_REDIRECTS} redirects") from error
        # Besides its own errors, requests passes on errors of parsing an address. Their text is
        # not repeated: it quotes parts of the address, such as half of a password.
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
            raise SourceError(f"unusable address or answer ({type(error).__name__})") from error
        self._lost_connections = 0
        return response


def _save(response: requests.Response, path: Path, limit: int) -> None:
    """Writes the body to ``path``, within the limits on time and size."""
    started = time.monotonic()
    total, received = response.raw.length_remaining, 0
    if (total or 0) > limit:
        raise SourceError(f"too large (announces more than {limit} bytes)")
    with path.open("wb") as file, download_progress(path.name, total) as advance:
        while block := _read(response, received):
            received += len(block)
            if received > limit:
                raise SourceError(f"too large (more than {limit} bytes)")
            if time.monotonic() - started > TOTAL_SECONDS:
                raise SourceError(f"too slow ({received} bytes in {TOTAL_SECONDS:.0f} s)")
            file.write(block)
            advance(len(block))


def _read(response: requests.Response, received: int) -> bytes:
    """At most ``BLOCK`` bytes, what one packet brought; none at the end."""
    try:
        content: bytes = response.raw.read1(BLOCK, decode_content=False) or b""
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise TransientError(
            f"connection lost after {received} bytes ({_reason(error)})"
        ) from error
    return content


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps, the innermost last."""
    yield error
    for inner in (getattr(error, "reason", None), *error.args):
        if isinstance(inner, BaseException):
            yield from _causes(inner)
            return


def _reason(error: BaseException) -> str:
    """The innermost cause, short enough for a line."""
    *_, cause = _causes(error)
    # urllib3 begins with the connection, which the line already names.
    return one_line(re.sub(r"^\w+\(host=[^)]*\): ", "", str(cause)), LONGEST)
