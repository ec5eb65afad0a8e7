import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.specs import serving
from pipeline.vertex import connection, preflight
from tests.fakes.cloud import Cloud, serve_cloud

UNSET = (
    "GOOGLE_APPLICATION_CREDENTIALS",
    "CLOUDSDK_CORE_PROJECT",
    "CLOUDSDK_AI_REGION",
)


@dataclass(frozen=True)
class Told:
    """What a command left: its exit code, what it printed, and its error."""

    code: int
    out: str
    error: str


Command = Callable[..., Told]


@pytest.fixture(autouse=True)
def long_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the date of the day out of what ``submit`` says of the serving image."""
    monkeypatch.setattr(serving, "NOTICE", -datetime.timedelta(days=100_000))


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """A project on a loopback port, where all of Google's clients are led to."""
    with serve_cloud() as cloud:
        for name in UNSET:
            monkeypatch.delenv(name, raising=False)
        for name, value in cloud.environment(tmp_path / "gcloud").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(connection, "credentials", AnonymousCredentials)
        monkeypatch.setattr(preflight, "refresh", lambda _credentials, _target: None)
        yield cloud


@pytest.fixture
def command(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Calls ``fashion-mnist`` in this process."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> Told:
        done = CliRunner().invoke(app, arguments)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Told(done.exit_code, done.stdout, done.stderr)

    return call
