import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials

from pipeline import compiler
from pipeline.vertex import request, target
from tests.command import here
from tests.fakes.cloud import Cloud, serve_cloud

UNSET = ("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CORE_PROJECT", "CLOUDSDK_AI_REGION")


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code, what it printed, and its error."""

    code: int
    out: str
    error: str


Command = Callable[..., Done]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    """A project on a loopback port, to which all of Google's clients are sent.

    ``compiled/`` is not compared with its source, and today's date makes no warning.
    """
    monkeypatch.setattr(compiler, "check", lambda: None)
    monkeypatch.setattr(request, "NOTICE", -datetime.timedelta(days=100_000))
    with serve_cloud() as cloud:
        for name in UNSET:
            monkeypatch.delenv(name, raising=False)
        for name, value in cloud.environment(tmp_path / "gcloud").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(target, "default_credentials", AnonymousCredentials)
        yield cloud


@pytest.fixture
def command(cloud: Cloud) -> Command:
    del cloud

    def call(*arguments: str) -> Done:
        done = here(*arguments)
        return Done(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture
def submit(command: Command) -> Command:
    return lambda *options: command("submit", "--bucket", "my-bucket", *options)


def lacking(submit: Command, cloud: Cloud, *options: str) -> list[str]:
    """What a submission says is missing; nothing was submitted."""
    done = submit(*options)
    assert done.code == 1, done.out
    first, *lines = done.error.strip().splitlines()
    assert first == "error: nothing was submitted:"
    assert cloud.pipelines.created == []
    assert cloud.buckets.made == []
    return lines
