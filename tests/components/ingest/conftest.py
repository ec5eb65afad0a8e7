import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.ingest import fashion_mnist, fetch
from tests.fakes.mirror import FakeMirror, serve_mirror
from tests.fakes.storage import FakeBucket, serve_storage
from tests.idx_files import idx_payloads, payload_digests


@pytest.fixture(autouse=True)
def quick_and_offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No waiting between attempts, and no source outside the test."""
    monkeypatch.setattr(fetch, "BACKOFF_SECONDS", 0.001)
    monkeypatch.setattr(fashion_mnist, "SYSTEM_DIRECTORY", str(tmp_path / "system"))
    monkeypatch.setattr(fashion_mnist, "MIRRORS", ())
    monkeypatch.setenv(fashion_mnist.DATA_VARIABLE, str(tmp_path / "data"))


@pytest.fixture(scope="session")
def payloads() -> dict[str, bytes]:
    return idx_payloads(train_per_class=6, test_per_class=2)


@pytest.fixture(scope="session")
def digests(payloads: dict[str, bytes]) -> dict[str, str]:
    return payload_digests(payloads)


@pytest.fixture(scope="session")
def files(payloads: dict[str, bytes]) -> dict[str, bytes]:
    """The four ``.gz`` files as a source serves them."""
    return {f"{name}.gz": gzip.compress(payload) for name, payload in payloads.items()}


@pytest.fixture
def mirror(files: dict[str, bytes]) -> Iterator[FakeMirror]:
    with serve_mirror(files) as mirror:
        yield mirror


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBucket]:
    with serve_storage() as fake:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.host)
        yield fake
