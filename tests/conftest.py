import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from components.dataset.startup import NO_PROXY, direct_loopback
from pipeline.runs.root import DEFAULT_ROOT, VARIABLE

if TYPE_CHECKING:
    from tests.small_project import Project


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with the whole runs at the top: one of minutes would keep one process at the end."""
    items.sort(key=lambda item: len(item.path.parts))


@pytest.fixture(autouse=True, scope="session")
def commands_have_names() -> Iterator[None]:
    """A shell that finds the project's commands, as in an environment that is active.

    What they leave is in the working directory, never in the checkout.
    """
    own = Path(sys.executable).parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{own}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
        patch.setenv(VARIABLE, str(DEFAULT_ROOT))
        yield


@pytest.fixture(autouse=True, scope="session")
def loopback_is_direct() -> Iterator[None]:
    """An environment in which clients find the tests' servers, even behind a proxy."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in direct_loopback(os.environ).items():
            patch.setenv(name, value)
        yield


@pytest.fixture
def behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that sends every request to a proxy, which does not answer."""
    for name in NO_PROXY:
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


@pytest.fixture(scope="session")
def light(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Project]":
    from tests import light_steps
    from tests.small_project import Project

    project = Project.at(tmp_path_factory.mktemp("light"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in light_steps.environment(project.path).items():
            patch.setenv(name, value)
        yield project
