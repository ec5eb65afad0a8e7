"""Keeps web pages out of a service on a loopback port: their browser can reach it too."""

import re
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from http.server import HTTPServer
from typing import Any, Final

HOST: Final = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]+)?")
OF_BROWSERS: Final = ("Origin", "Sec-Fetch-Site")
"""Headers that every browser sends along and no client of the storage service does."""
WIPE: Final = "/wipe"
"""Where the emulator removes everything; nobody here asks for that."""


def guard(httpd: HTTPServer) -> None:
    """Lets a running server refuse what a client of this machine would not ask.

    Another host's name (an attacker's, which resolves to this machine), the headers of a browser,
    and the removal of everything are answered with 403.

    Args:
        httpd: Its handlers are made by a ``partial`` of a ``BaseHTTPRequestHandler``.
    """
    made: Any = httpd.RequestHandlerClass

    class Guarded(made.func):  # type: ignore[misc]
        def parse_request(self) -> bool:
            if not super().parse_request():
                return False
            if reason := refusal(self.path, self.headers):
                self.send_error(HTTPStatus.FORBIDDEN, reason)
                return False
            return True

    httpd.RequestHandlerClass = partial(Guarded, *made.args)


def refusal(path: str, headers: Mapping[str, str]) -> str:
    """Why a request is refused; empty where it is not.

    Args:
        path: What it asks for.
        headers: Its headers, found whatever their case.
    """
    # The emulator puts the two together and parses that as one address.
    host = headers.get("Host")
    if host and not HOST.fullmatch(host):
        return "this service is for 127.0.0.1"
    if any(name in headers for name in OF_BROWSERS):
        return "this service is not for web pages"
    if path.startswith(WIPE) or not path.startswith("/"):
        return "this service removes nothing at once"
    return ""
