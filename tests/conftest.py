import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with what is at the top, whole runs: one of minutes would keep one process at the end.

    The files, and the tests of each, stay in their order otherwise.
    """
    items.sort(key=lambda item: len(item.path.relative_to(TESTS).parts))


@pytest.fixture(autouse=True, scope="session")
def commands_have_names() -> Iterator[None]:
    """A shell that finds the project's commands, as in an environment that is active."""
    own = Path(sys.executable).parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{own}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
        yield
