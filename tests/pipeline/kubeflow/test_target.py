"""Where the commands go, and how they sign in."""

import ssl
from pathlib import Path

import pytest
import trustme

from pipeline.errors import UsageError
from pipeline.kubeflow import sign_in, target
from pipeline.kubeflow.target import IN_CLUSTER, resolve
from tests.fakes.kubeflow import Kubeflow, serve_kubeflow
from tests.fakes.server import Handler, LoopbackServer
from tests.fakes.wire import Fault
from tests.pipeline.kubeflow.conftest import Command

SECRET = "s3cret-t0ken"


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("kubeflow.example.com/pipeline/", "https://kubeflow.example.com/pipeline"),
        ("https://kf.example.com/pipeline/#/runs/details/1", "https://kf.example.com/pipeline"),
        ("https://kf.example.com/_/pipeline/?ns=me#/runs", "https://kf.example.com/pipeline"),
    ],
)
def test_an_address_is_what_the_client_takes(given: str, host: str) -> None:
    assert resolve(given).host == host


def test_without_an_address_it_is_the_installation_of_the_pod(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no host is set: give --host, or set KF_PIPELINES_ENDP"):
        resolve(None)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert resolve(None).host == IN_CLUSTER
    token = tmp_path / "pod/kubeflow/pipelines/token"
    token.parent.mkdir(parents=True)
    token.write_text(SECRET)
    assert resolve(None).token_file == token
    assert resolve("kf.example.com").token_file is None


def test_a_page_elsewhere_gets_no_credentials(
    kubeflow: Kubeflow, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(sign_in.TOKEN, SECRET)
    run = "00000000-0000-4000-8000-000000000000"
    with serve_kubeflow() as service:
        other = service.wire
        page = f"{other.url}/#/runs/details/{run}"
        for asked in (("watch", page), ("cancel", page), ("schedules", "pause", page)):
            done = command(*asked)
            assert (done.code, done.error.count("\n")) == (2, 1)
            assert "give --host too, if your token or cookie is for it" in done.error
        monkeypatch.setenv(target.UI_ENDPOINT, other.url)
        assert "there is no run" in command("cancel", page).error
        monkeypatch.delenv(target.UI_ENDPOINT)
        monkeypatch.delenv(target.ENDPOINT)
        assert "KF_PIPELINES_ENDPOINT is not set: give --host too" in command("watch", page).error
        monkeypatch.delenv(sign_in.TOKEN)
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
        assert f"KF_PIPELINES_ENDPOINT is {IN_CLUSTER}" in command("watch", page).error
        assert other.calls == []


@pytest.mark.usefixtures("kubeflow")
@pytest.mark.parametrize("fault", ["context", "variable"])
def test_a_client_of_kfp_that_does_not_start_is_one_line(
    fault: str, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import kfp.client

    monkeypatch.setattr(kfp.client.Client, "_LOCAL_KFP_CONTEXT", str(tmp_path / "context.json"))
    if fault == "context":
        (tmp_path / "context.json").write_text("{")
    else:
        monkeypatch.setenv("KF_PIPELINES_IAP_OAUTH2_CLIENT_ID", "x")
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing"))
    done = command("runs")
    assert (done.code, done.error.count("\n")) == (1, 1)
    assert "kfp's client does not start" in done.error


@pytest.mark.parametrize("way", ["--token-file", sign_in.TOKEN, sign_in.TOKEN_PATH])
def test_a_token_signs_in_and_is_in_no_output(
    way: str,
    kubeflow: Kubeflow,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kubeflow.token = SECRET
    file = tmp_path / "token"
    file.write_text(f"{SECRET}\n")
    options = (way, str(file)) if way.startswith("--") else ()
    monkeypatch.setenv(way, SECRET if way == sign_in.TOKEN else str(file))
    done = command("submit", *options)
    assert done.code == 0, done.error
    kubeflow.token = "another"
    refused = command("--verbose", "runs", *options)
    assert f"{way}{'' if way == sign_in.TOKEN else f' {file}'} has expired, or is for some" in (
        refused.error
    )
    assert SECRET not in done.out + done.error + refused.out + refused.error


def test_a_cookie_signs_in(
    kubeflow: Kubeflow, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(sign_in.COOKIE, f"authservice_session={SECRET}")
    assert command("runs").code == 0
    assert kubeflow.wire.calls[-1].headers["cookie"] == f"authservice_session={SECRET}"
    (tmp_path / "cookie").write_text(SECRET)
    done = command("runs", "--cookie-file", str(tmp_path / "cookie"))
    assert "holds no cookie: give NAME=VALUE" in done.error
    assert SECRET not in done.error


def test_a_cookie_that_comes_with_a_refusal_is_in_no_output(
    kubeflow: Kubeflow, command: Command
) -> None:
    headers = {"Set-Cookie": f"session={SECRET}"}
    kubeflow.wire.fail("Healthz", Fault(403, page=b"{}", headers=headers))
    done = command("--verbose", "runs")
    assert done.code == 1
    assert "Traceback" in done.error
    assert SECRET not in done.error


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "https://me:s3cret@kf.com"), "--host: leave out user and password"),
        (("--host", "ftp://kf"), "--host ftp://kf: give an address"),
        (("--namespace", "Team A"), "--namespace Team A: give the name of a namespace"),
        (("--token-file", "missing"), "--token-file missing: no such file or directory"),
        (("--ca-cert", "missing"), "--ca-cert missing: there is no such file"),
    ],
)
def test_what_cannot_be_used_is_refused(
    options: tuple[str, ...], said: str, kubeflow: Kubeflow, command: Command
) -> None:
    done = command("runs", *options)
    assert (done.code, done.error.count("\n")) == (2, 1)
    assert said in done.error
    assert "s3cret" not in done.error
    assert kubeflow.wire.calls == []


class Answers(Handler):
    def do_GET(self) -> None:
        self.answer(200, {}, b"{}")


def test_a_certificate_that_is_not_trusted_can_be_given(command: Command, tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = LoopbackServer(Answers)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with server:
        host = f"https://localhost:{server.server_port}"
        trusted = ("--host", host, "--ca-cert", str(tmp_path / "ca.pem"))
        assert command("runs", *trusted).code == 0
        done = command("runs", "--host", host)
        assert "its certificate is not trusted; give the certificate of its au" in done.error
        done = command("runs", *trusted, "--host", f"https://127.0.0.1:{server.server_port}")
        assert "its certificate is for another name; give --host a name that is in" in done.error
    with LoopbackServer(Answers) as plain:
        done = command("runs", "--host", f"https://127.0.0.1:{plain.server_port}")
    assert "it does not speak TLS; give --host with http://" in done.error
