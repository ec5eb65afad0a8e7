"""Credentials of addresses reach no parameter, no log and no error."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components.dataset.errors import SourceError
from components.dataset.facts import FILES
from components.ingest.credentials import refuse_credentials
from components.ingest.fetch import fetch
from components.ingest.mirror import Mirror
from components.ingest.sources import resolve
from tests import planted
from tests.fakes.mirror import serve_redirect
from tests.fakes.server import Handler, LoopbackServer


@pytest.mark.parametrize(
    "source",
    [
        planted.IN_ADDRESS,
        planted.SIGNED,
        f"https://{planted.SECRET}@host/",
        f"https://a:p@{planted.SECRET}@host/",
        f"ftp://a:{planted.SECRET}@host/",
        f"gs://a:{planted.SECRET}@bucket/x",
        f"https://host/#{planted.SECRET}",
        f"HTTPS://a:{planted.SECRET}@host",
        f"http://user:{planted.SECRET}/ss@host/",
        f"http://user:pa/{planted.SECRET}@host:80/",
        f"http://[::1]:{planted.SECRET}/",
        f"gs://user:pa/{planted.SECRET}@bucket",
    ],
)
def test_a_source_with_credentials_is_refused_and_not_repeated(source: str) -> None:
    with pytest.raises(SourceError) as caught:
        resolve(source)
    assert not planted.told(str(caught.value))


@pytest.mark.parametrize(
    "source",
    [
        "",
        "data",
        "/a@b/c?d",
        "gs://bucket/a b",
        "https://host/a/@/",
        "http://host:80/@",
        "http://[::1]:80/",
        "http://[::1/",
    ],
)
def test_a_source_without_any_passes(source: str) -> None:
    refuse_credentials(source)


@contextmanager
def serve_to(user: str) -> Iterator[str]:
    """A server that asks who is there, and has nothing for that one."""
    basic = "Basic " + base64.b64encode(f"{user}:{planted.SECRET}".encode()).decode()

    class Answering(Handler):
        def do_GET(self) -> None:
            self.send_response(404 if self.headers.get("Authorization") == basic else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with LoopbackServer(Answering) as server:
        yield f"{server.url}/"


@pytest.mark.parametrize(
    "location",
    [
        f"http://127.0.0.1:9/a.gz?sig={planted.SECRET}",
        f"http://somebody:{planted.SECRET}@127.0.0.1:9/a.gz",
        f"ftp://somebody:{planted.SECRET}@host/a.gz?sig={planted.SECRET}",
        f"http://[::1/?sig={planted.SECRET}",
        f"/again?sig={planted.SECRET}",
        f"http://somebody:{planted.SECRET}@/",
        f"ftp://somebody:pa/{planted.SECRET}@host/",
        f"http://somebody:{planted.SECRET}/ss@host/",
    ],
)
def test_what_a_mirror_leads_to_is_told_without_its_credentials(
    location: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "components")
    with serve_redirect(location) as url, pytest.raises(SourceError) as caught:
        fetch([Mirror(url)], FILES[1], None, tmp_path)
    assert not planted.told(str(caught.value))
    assert not planted.told(caplog.text)


@pytest.mark.parametrize("proxy", [planted.PROXY, f"http://somebody:{planted.SECRET}@"])
def test_a_proxys_password_is_in_no_error(
    proxy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(SourceError) as caught:
        fetch([Mirror("http://mirror.invalid/")], FILES[1], None, tmp_path)
    assert not planted.told(str(caught.value))


def test_a_password_of_netrc_is_used_and_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login somebody password {planted.SECRET}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with serve_to("somebody") as url, pytest.raises(SourceError, match="HTTP 404") as caught:
        fetch([Mirror(url)], FILES[1], None, tmp_path)
    assert not planted.told(str(caught.value))
