from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline import compiler
from pipeline.kubeflow import sign_in, target
from tests.command import here
from tests.fakes.kubeflow import Kubeflow, serve_kubeflow


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code, what it printed, and its error."""

    code: int
    out: str
    error: str


Command = Callable[..., Done]


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of a person or a pod; ``compiled/`` is not compared with its source."""
    import kfp.client

    monkeypatch.setattr(compiler, "check", lambda: None)
    monkeypatch.setattr(kfp.client.Client, "_LOCAL_KFP_CONTEXT", str(tmp_path / "context.json"))
    monkeypatch.setattr(sign_in, "POD", tmp_path / "pod")
    for name in (
        *("KUBERNETES_SERVICE_HOST", target.ENDPOINT, target.UI_ENDPOINT),
        *(sign_in.TOKEN, sign_in.COOKIE, sign_in.TOKEN_PATH),
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def kubeflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kubeflow]:
    """An installation on a loopback port, to which the commands are sent."""
    with serve_kubeflow() as kubeflow:
        monkeypatch.setenv(target.ENDPOINT, kubeflow.wire.url)
        yield kubeflow


@pytest.fixture
def command() -> Command:
    def call(*arguments: str) -> Done:
        done = here("kubeflow", *arguments)
        return Done(done.returncode, done.stdout, done.stderr)

    return call
