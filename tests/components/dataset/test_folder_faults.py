"""Every fault of a bucket where a folder is copied there and back: overcome, or a clear error."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from components.dataset import folder, storage
from components.dataset.errors import BucketError
from tests.components.dataset.bucket_faults import (
    BROKEN,
    CONTENT,
    LASTING,
    PASSING,
    SECONDS,
    damaged,
    half,
)
from tests.fakes.storage import OPERATIONS, FakeBucket, StorageFault
from tests.fakes.storage_server import Request, StorageHandler

URI = "gs://bucket/home"
RESUMABLE = ("start", "chunk", "finish")


@pytest.fixture
def here(tmp_path: Path, small: Path, large: Path) -> Path:
    """The folder that is published; the fetched one is beside it."""
    here = tmp_path / "here"
    for path in (small, large):
        (here / path.name).mkdir(parents=True)
        shutil.copy(path, here / path.name / "file")
    return here


def use(operation: str, fake: FakeBucket, here: Path) -> None:
    """Copies a folder so that the operation is needed, over an older copy of it."""
    if operation in ("look", "download"):
        fake.put("home/large/file", CONTENT)
        fetched = folder.fetch(URI, here.parent / "there")
        assert [path.read_bytes() for path in fetched] == [CONTENT]
        return
    if operation in RESUMABLE:
        shutil.rmtree(here / "small.gz")
    fake.put("home/large/file", b"older")
    fake.put("home/removed", b"older")
    folder.publish(here, URI)
    files = {path.parent.name: path.read_bytes() for path in here.rglob("file")}
    assert fake.objects == {f"home/{name}/file": content for name, content in files.items()}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_a_fault_that_passes_is_overcome(
    fault: StorageFault, operation: str, quick_bucket: FakeBucket, here: Path
) -> None:
    quick_bucket.fail(operation, fault, times=2)
    started = time.monotonic()
    use(operation, quick_bucket, here)
    assert time.monotonic() - started < SECONDS
    assert quick_bucket.faults[operation] == []


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING.keys())
def test_a_fault_that_lasts_is_a_typed_error_of_one_line_in_bounded_time(
    fault: StorageFault,
    operation: str,
    quick_bucket: FakeBucket,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(storage, "RETRY_SECONDS", 0.15)
    quick_bucket.fail(operation, fault, times=1000)
    started = time.monotonic()
    with pytest.raises(BucketError) as caught:
        use(operation, quick_bucket, here)
    assert time.monotonic() - started < SECONDS
    check_text(str(caught.value))


def check_text(text: str) -> None:
    assert "gs://bucket" in text
    assert text.isprintable()
    assert "upload_id=" not in text
    assert re.search("; (run again|look at the network|grant the role|run gcloud auth)", text)


@pytest.mark.parametrize("operation", ["list", "look", "insert", "finish", "download"])
def test_an_answer_that_ends_in_the_middle_is_asked_for_again(
    operation: str, quick_bucket: FakeBucket, here: Path
) -> None:
    quick_bucket.fail(operation, StorageFault(act=half), times=2)
    use(operation, quick_bucket, here)
    assert quick_bucket.faults[operation] == []


@pytest.mark.parametrize("operation", ["chunk", "finish"])
@pytest.mark.parametrize("act", BROKEN.values(), ids=BROKEN.keys())
def test_an_upload_that_breaks_off_begins_anew(
    act: Callable[[StorageHandler, Request], None],
    operation: str,
    quick_bucket: FakeBucket,
    here: Path,
) -> None:
    quick_bucket.fail(operation, StorageFault(act=act))
    use(operation, quick_bucket, here)
    assert quick_bucket.faults[operation] == []


@pytest.mark.parametrize("operation", ["chunk", "finish"])
@pytest.mark.parametrize("act", BROKEN.values(), ids=BROKEN.keys())
def test_an_upload_that_breaks_off_again_and_again_leaves_what_was_there(
    act: Callable[[StorageHandler, Request], None],
    operation: str,
    quick_bucket: FakeBucket,
    here: Path,
) -> None:
    quick_bucket.fail(operation, StorageFault(act=act), times=100)
    with pytest.raises(BucketError, match="gs://bucket/home/large/file") as caught:
        use(operation, quick_bucket, here)
    check_text(str(caught.value))
    assert quick_bucket.objects == {"home/large/file": b"older", "home/removed": b"older"}


def test_an_upload_in_one_piece_that_arrives_damaged_is_sent_again(
    quick_bucket: FakeBucket, here: Path
) -> None:
    quick_bucket.fail("insert", StorageFault(act=damaged))
    use("insert", quick_bucket, here)


def test_a_download_with_a_flipped_bit_is_a_typed_error(
    quick_bucket: FakeBucket, here: Path
) -> None:
    quick_bucket.damage = True
    with pytest.raises(BucketError, match="home/large/file arrived damaged"):
        use("download", quick_bucket, here)
