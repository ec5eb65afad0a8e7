import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform_v1 import ModelServiceClient

from components.upload import registry_lookup
from tests import evaluations
from tests.fakes.storage import FakeBucket, serve_storage
from tests.fakes.vertex import ModelService, serve_models


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelService]:
    """An empty Model Registry, which the look-up reads with Google's own client."""
    with serve_models() as fake:
        monkeypatch.setattr(
            registry_lookup,
            "connect",
            lambda _location: ModelServiceClient(
                credentials=AnonymousCredentials(),
                transport="rest",
                client_options={"api_endpoint": fake.url},
            ),
        )
        yield fake


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBucket]:
    with serve_storage() as fake:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.host)
        yield fake


@pytest.fixture
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine that knows no Google account and is none of Google's own."""
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")


@pytest.fixture
def evaluation() -> dict[str, Any]:
    """The JSON that the step evaluate writes, of a model better than version 12."""
    facts = evaluations.beaten(evaluations.evaluation(per_class=10))
    facts["training"]["data"] = {"train": "7ea1"}
    return {**facts, "accuracy": 0.93649, "loss": 0.18765, "macro_f1": 0.9361}


@pytest.fixture
def evaluation_file(evaluation: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "evaluation"
    path.write_text(json.dumps(evaluation))
    return path
