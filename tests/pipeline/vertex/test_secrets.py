"""What the commands for Vertex AI send and say holds no credentials of the machine."""

import json
from pathlib import Path

import pytest

from pipeline import compiler
from pipeline.vertex import connection, preflight
from tests import planted
from tests.fakes.cloud import Cloud
from tests.fakes.wire import Fault
from tests.pipeline.vertex.conftest import Command

SUBMIT = ("submit", "--bucket", "my-bucket")
REAL = (connection.credentials, preflight.refresh)
"""As they are outside of tests, which have no account."""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "check", lambda: None)
    for name, value in planted.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def sent(cloud: Cloud) -> str:
    """All requests, but for the header that is there for a token."""
    headers = [
        {name: value for name, value in call.headers.items() if name != "authorization"}
        for call in cloud.wire.calls
    ]
    bodies = [repr(call) for call in cloud.wire.calls if "authorization" not in call.headers]
    created = [str(request) for request in cloud.pipelines.created]
    return json.dumps([headers, bodies, created])


@pytest.mark.parametrize("options", [(), ("--dry-run",), ("--image", "host.dev/a/b:c")])
def test_a_submission_holds_none(
    cloud: Cloud, command: Command, options: tuple[str, ...], tmp_path: Path
) -> None:
    told = command(*SUBMIT, *options)
    assert told.code == 0, told.error
    assert not planted.told(told.out + told.error + sent(cloud))
    assert planted.files_that_tell(tmp_path) == []


@pytest.mark.parametrize("source", [planted.IN_ADDRESS, planted.SIGNED])
@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_a_source_with_credentials_is_refused(
    cloud: Cloud, command: Command, source: str, dry: tuple[str, ...]
) -> None:
    for options in (("--source", source), ("-p", f"source={source}")):
        told = command(*SUBMIT, *options, *dry)
        assert told.code == 2
        assert not planted.told(told.out + told.error)
    assert cloud.pipelines.created == []


def test_a_key_that_cannot_be_read_is_not_repeated(
    cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(connection, "credentials", REAL[0])
    monkeypatch.setenv(
        "GOOGLE_APPLICATION_CREDENTIALS", str(planted.service_account(tmp_path / "key.json"))
    )
    told = command(*SUBMIT)
    assert told.code == 1
    assert not planted.told(told.out + told.error)


@pytest.mark.parametrize("code", [401, 403, 500])
def test_a_token_is_not_told_where_the_service_refuses_it(
    cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    from google.oauth2.credentials import Credentials

    monkeypatch.setattr(connection, "AGAIN_SECONDS", 0.2)
    token = Credentials(token=planted.SECRET, quota_project_id="my-project")
    monkeypatch.setattr(connection, "credentials", lambda: token)
    cloud.wire.fail("CreatePipelineJob", Fault(code), times=20)
    told = command(*SUBMIT)
    assert told.code == 1
    assert any(planted.told(call.headers.get("authorization", "")) for call in cloud.wire.calls)
    assert not planted.told(told.out + told.error)
