import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from components.dataset.errors import SourceError
from components.ingest.mirror import download
from tests.fakes.server import Handler, LoopbackServer

AUTHORITY = trustme.CA()


class Empty(Handler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture(params=["127.0.0.1", "other.example"])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """The name in a server's certificate, and its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(request.param).configure_cert(context)
    with LoopbackServer(Empty) as running:
        running.socket = context.wrap_socket(running.socket, server_side=True)
        yield request.param, running.url.replace("http:", "https:")


@pytest.mark.parametrize("trusted", [True, False])
def test_only_a_trusted_certificate_of_the_mirrors_own_name_is_accepted(
    server: tuple[str, str], trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, url = server
    bundle = tmp_path / "authorities.pem"
    (AUTHORITY if trusted else trustme.CA()).cert_pem.write_to_path(str(bundle))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    if trusted and name == "127.0.0.1":
        download(url, "file", tmp_path / "file", 1)
        return
    with pytest.raises(SourceError, match="no trusted TLS connection"):
        download(url, "file", tmp_path / "file", 1)
