"""Downloads a file from a mirror over HTTP, with limits on time and size."""

import os
import sys
import time
from pathlib import Path
from typing import Final

import requests
import urllib3

from components.dataset.errors import SourceError
from components.dataset.redaction import one_line

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 20.0
"""Longest silence between two packets."""
TOTAL_SECONDS: Final = 900.0
"""Longest download of one file: for the largest one a mean speed of 30 kB/s."""
PROGRESS_SECONDS: Final = 0.25
"""Time between two updates of the progress that is shown."""
MAX_REDIRECTS: Final = 5
BLOCK: Final = 1 << 16
LONGEST: Final = 120
"""Characters quoted from another machine in an error."""


class TransientError(SourceError):
    """A failure that may be gone at the next attempt."""


class NoConnectionError(TransientError):
    """A mirror that does not answer."""


def download(base: str, name: str, path: Path, limit: int) -> None:
    """Writes ``<name>.gz``, or ``<name>`` if that is missing, to ``path``: at most ``limit`` bytes.

    Raises:
        TransientError: No connection, a time-out, 429 or 5xx.
        SourceError: Any other answer than 200, a certificate that is not accepted, a redirect
            that cannot be followed, a file that is too slow or too large.
    """
    address = f"{base.rstrip('/')}/{name}"
    with requests.Session() as session:
        session.max_redirects = MAX_REDIRECTS
        response = _get(session, f"{address}.gz")
        if response.status_code == 404:
            response.close()
            response = _get(session, address)
        if response.status_code != 200:
            transient = response.status_code == 429 or response.status_code >= 500
            kind = TransientError if transient else SourceError
            raise kind(one_line(f"HTTP {response.status_code} {response.reason}", LONGEST))
        _save(response, path, limit)


def _get(session: requests.Session, address: str) -> requests.Response:
    try:
        return session.get(
            address,
            # Not transfer-encoded: the gzip bytes of the file itself are wanted.
            headers={"Accept-Encoding": "identity"},
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            stream=True,
        )
    except requests.exceptions.SSLError as error:
        raise SourceError(f"no trusted TLS connection ({_reason(error)})") from error
    except (requests.ConnectionError, requests.Timeout) as error:
        raise NoConnectionError(f"no connection ({_reason(error)})") from error
    except requests.TooManyRedirects as error:
        raise SourceError(f"more than {MAX_REDIRECTS} redirects") from error
    # Besides its own errors, requests passes on errors of parsing an address. Their text is
    # not repeated: it quotes parts of the address, such as half of a password.
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
        raise SourceError(f"unusable address or answer ({type(error).__name__})") from error


def _save(response: requests.Response, path: Path, limit: int) -> None:
    started = shown = time.monotonic()
    total, received = response.raw.length_remaining, 0
    if (total or 0) > limit:
        raise SourceError(f"too large (announces more than {limit} bytes)")
    with path.open("wb") as file:
        while block := _read(response, received):
            received += len(block)
            now = time.monotonic()
            if received > limit:
                raise SourceError(f"too large (more than {limit} bytes)")
            if now - started > TOTAL_SECONDS:
                raise SourceError(f"too slow ({received} bytes in {TOTAL_SECONDS:.0f} s)")
            file.write(block)
            if now - shown >= PROGRESS_SECONDS:
                shown = now
                of = f" of {total / 1e6:.1f}" if total else ""
                _show(f"{path.name} {received / 1e6:.1f}{of} MB\r")
    if sys.stdout.isatty():
        _show("\x1b[K")  # Clears the line.


def _read(response: requests.Response, received: int) -> bytes:
    """At most ``BLOCK`` bytes, what one packet brought; none at the end."""
    try:
        content: bytes = response.raw.read1(BLOCK, decode_content=False) or b""
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise TransientError(
            f"connection lost after {received} bytes ({_reason(error)})"
        ) from error
    return content


def _show(text: str) -> None:
    """Shows progress on a terminal or in the local runner's live table."""
    if sys.stdout.isatty() or os.environ.get("FASHION_MNIST_PROGRESS") == "1":
        sys.stdout.write(text)
        sys.stdout.flush()


def _reason(error: BaseException) -> str:
    """The innermost cause, short enough for a line."""
    while error.__context__ is not None:
        error = error.__context__
    return one_line(error, LONGEST)
