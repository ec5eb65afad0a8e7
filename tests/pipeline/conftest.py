from pathlib import Path

import pytest

from pipeline.runs.registry import Registry, Version
from tests.pipeline.recorded_version import register
from tests.saved_models import make_model


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A registry whose directory does not exist yet."""
    return Registry(tmp_path / "registry")


@pytest.fixture
def saved_model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "model")


@pytest.fixture
def version(registry: Registry, tmp_path: Path) -> Version:
    return register(registry, tmp_path / "first")
