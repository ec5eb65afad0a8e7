import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.storage.retry import DEFAULT_RETRY

from components.dataset import bucket, storage
from tests.components.dataset.bucket_faults import BLOCK, CONTENT
from tests.fakes.storage import FakeBucket, serve_storage


@pytest.fixture
def quick_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBucket]:
    """A fake bucket whose clients soon try again, soon give up, and send in small chunks."""
    with serve_storage() as fake:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.host)
        monkeypatch.setattr(storage, "TIMEOUT", (5, 0.4))
        monkeypatch.setattr(storage, "RETRY_SECONDS", 3.0)
        monkeypatch.setattr(bucket, "BLOCK", BLOCK)
        quick = DEFAULT_RETRY.with_delay(initial=0.01, maximum=0.05)
        monkeypatch.setattr("google.cloud.storage.retry.DEFAULT_RETRY", quick)
        monkeypatch.setattr("google.cloud.storage.blob._MAX_MULTIPART_SIZE", BLOCK)
        yield fake


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file that is uploaded in three chunks."""
    path = tmp_path / "large"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A file that is uploaded in one request."""
    path = tmp_path / "small.gz"
    path.write_bytes(gzip.compress(CONTENT, mtime=0))
    return path
