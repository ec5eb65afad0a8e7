import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import aiplatform_v1 as vertex

from pipeline import compiler
from pipeline.vertex import asking, request, target
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

    ``compiled/`` is not compared with its source, today's date makes no warning, and a version that
    does not answer has little time.
    """
    monkeypatch.setattr(compiler, "check", lambda: None)
    monkeypatch.setattr(request, "NOTICE", -datetime.timedelta(days=100_000))
    monkeypatch.setattr(asking, "ANSWERS_WITHIN", 0.5)
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


@pytest.fixture
def versions(cloud: Cloud) -> list[Any]:
    """Three versions of fashion-mnist in the registry; the third has the alias default."""
    first = cloud.models.add(vertex.Model(display_name="fashion-mnist"))
    rest = [
        cloud.models.add(
            vertex.Model(display_name="fashion-mnist", version_aliases=aliases), first.name
        )
        for aliases in (["golden"], ["default", "fashion-mnist-20261124-120000-ab12"])
    ]
    return [first, *rest]


def lacking(submit: Command, cloud: Cloud, *options: str) -> list[str]:
    """What a submission says is missing; nothing was submitted."""
    done = submit(*options)
    assert done.code == 1, done.out
    first, *lines = done.error.strip().splitlines()
    assert first == "error: nothing was submitted:"
    assert cloud.pipelines.created == []
    assert cloud.buckets.made == []
    return lines
