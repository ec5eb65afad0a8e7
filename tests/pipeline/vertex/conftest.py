import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from typer.testing import CliRunner

from pipeline import compiler
from pipeline.cli.app import app
from pipeline.vertex import request, target
from tests.fakes.cloud import Cloud, serve_cloud

UNSET = ("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CORE_PROJECT", "CLOUDSDK_AI_REGION")


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code, what it printed, and its error."""

    code: int
    out: str
    error: str


Command = Callable[..., Done]


@pytest.fixture(autouse=True)
def committed_files_are_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "check", lambda: None)


@pytest.fixture(autouse=True)
def serving_image_is_no_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps today's date out of what ``submit`` says about the serving image."""
    monkeypatch.setattr(request, "NOTICE", -datetime.timedelta(days=100_000))


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """A project on a loopback port, to which all of Google's clients are sent."""
    with serve_cloud() as cloud:
        for name in UNSET:
            monkeypatch.delenv(name, raising=False)
        for name, value in cloud.environment(tmp_path / "gcloud").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(target, "default_credentials", AnonymousCredentials)
        yield cloud


@pytest.fixture
def command(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Calls ``fashion-mnist`` in this process."""
    del cloud
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> Done:
        done = CliRunner().invoke(app, arguments)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    return call


@pytest.fixture
def submit(command: Command) -> Command:
    """Calls ``fashion-mnist submit`` with a bucket."""
    return lambda *options: command("submit", "--bucket", "my-bucket", *options)
