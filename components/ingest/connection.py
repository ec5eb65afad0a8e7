"""HTTP connections to mirrors: bounded in time and size, and never to link-local addresses.

``requests`` bounds the silence between two packets only, so an answer that trickles, in its
headers or between its chunks, or that goes on for ever there, would hold a step as long as the
other side likes. Here every byte that arrives counts, whatever it belongs to.
"""

import contextlib
import http.client
import io
import ipaddress
import socket
import time
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from components.dataset.errors import SourceError

GRACE_SECONDS: Final = 15.0
"""How long after its first byte an answer may be slow before its speed counts."""
MIN_BYTES_PER_SECOND: Final = 50_000.0
"""Mean speed below which a mirror is given up: the largest file would take nine minutes."""
MAX_BYTES: Final = 4 << 30
"""No file of this kind is larger; an endless answer ends here at the latest."""
MAX_HEAD_BYTES: Final = 1 << 20
"""Headers, and answers that only say to go on, are no larger in all."""
MAX_SECONDS: Final = 7200.0
"""No answer takes longer, at whatever speed."""
METADATA_HOSTS: Final = frozenset({"metadata", "metadata.google.internal", "fd20:ce::254"})
"""The names and the one address that is not link-local of Google Cloud's metadata server."""


def refuse_link_local(host: str) -> None:
    """Refuses the addresses behind which a cloud keeps its credentials.

    Args:
        host: A name or an address; names are not looked up.

    Raises:
        SourceError: It is link-local, or the metadata server's.
    """
    address = host.strip("[]").rstrip(".").lower().partition("%")[0]
    if address in METADATA_HOSTS or _is_link_local(address):
        raise SourceError(f"{host} is link-local or a metadata server, which no mirror is")


def _is_link_local(address: str) -> bool:
    with contextlib.suppress(OSError, ValueError):  # As a number, in octal, with fewer parts.
        address = socket.inet_ntoa(socket.inet_aton(address))
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(ip, "ipv4_mapped", None) or ip).is_link_local


def _refuse_name(host: str) -> None:
    """Refuses also a name that leads there; one that is not known here a proxy may know."""
    refuse_link_local(host)
    with contextlib.suppress(OSError, UnicodeError):
        for *_, address in socket.getaddrinfo(host, None):
            refuse_link_local(str(address[0]))


class Session(requests.Session):
    """A session whose connections are bounded and do not go to link-local addresses.

    It does not follow redirects: that would read the whole body of each, whatever its size.
    """

    def __init__(self) -> None:
        super().__init__()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter())

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None, so that nothing is a redirect to ``requests``."""


class _Meter(io.RawIOBase):
    """What arrives on a connection, read with bounds on time and size."""

    def __init__(self, raw: Any) -> None:
        self.limit = MAX_HEAD_BYTES
        self._raw = raw
        self._started = 0.0
        self._received = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        """Reads what one packet brought.

        Raises:
            SourceError: All that arrived so far came too slowly, or is too large.
        """
        size: int | None = self._raw.readinto(buffer)
        if not self._received:  # How long the first byte may take is the socket's time-out.
            self._started = time.monotonic()
        self._received += size or 0
        seconds = time.monotonic() - self._started
        too_few = seconds > GRACE_SECONDS and self._received < MIN_BYTES_PER_SECOND * seconds
        if size and (too_few or seconds > MAX_SECONDS):
            speed = self._received / seconds / 1000
            raise SourceError(f"too slow ({speed:.1f} kB/s after {seconds:.0f} s)")
        if self._received > self.limit:
            raise SourceError(f"too large (more than {self.limit} bytes)")
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._meter = _Meter(self.fp.detach())
        self.fp: Any = io.BufferedReader(self._meter)

    def begin(self) -> None:
        super().begin()
        self._meter.limit = MAX_BYTES


class _Connection(urllib3.connection.HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        return _connect(super()._new_conn)


class _SecureConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        return _connect(super()._new_conn)


def _connect(connect: Any) -> socket.socket:
    made: socket.socket = connect()
    try:
        # The name can have been answered differently the second time.
        refuse_link_local(str(made.getpeername()[0]))
    except BaseException:
        made.close()
        raise
    return made


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _bound(self.poolmanager)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        # Here, since a connection to a proxy knows the proxy's address alone.
        _refuse_name(urlsplit(request.url or "").hostname or "")
        return super().send(request, *args, **kwargs)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        return _bound(super().proxy_manager_for(*args, **kwargs))


def _bound(pools: Any) -> Any:
    pools.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return pools
