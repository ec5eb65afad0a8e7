from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from tests.idx_files import FASHION
from tests.pipeline.local_registry import add_version
from tests.saved_models import make_classifier

Call = Callable[..., Any]
ROOT = Path(".fashion-mnist")


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose class is the number of the lightest of the first ten rows."""
    return make_classifier(tmp_path_factory.mktemp("models") / "clothes", FASHION.classes)


@pytest.fixture
def champion(call: Call, classifier: Path) -> None:
    """It is the champion, and ``model`` in the working directory."""
    del call
    add_version(ROOT, classifier)
    Path("model").symlink_to(classifier)


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Calls a command in this process, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments, **options: CliRunner().invoke(app, arguments, **options)
