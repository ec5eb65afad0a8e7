import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def commands_have_names() -> Iterator[None]:
    """A shell that finds the project's commands, as in an environment that is active."""
    own = Path(sys.executable).parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{own}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
        yield
