"""Every fault of a bucket at every operation: overcome, or a clear error, in bounded time."""

import itertools
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from components.dataset import bucket, storage
from components.dataset.errors import BucketError
from tests.components.dataset.bucket_faults import (
    BLOCK,
    BROKEN,
    CONTENT,
    LASTING,
    PASSING,
    SECONDS,
    damaged,
    half,
)
from tests.fakes.storage import FakeBucket, StorageFault
from tests.fakes.storage_server import Request, StorageHandler

URI = "gs://bucket/home/object"


@pytest.fixture
def fake(quick_bucket: FakeBucket) -> FakeBucket:
    return quick_bucket


def read_all() -> bytes:
    reader = bucket.open_object(URI, BLOCK)
    return b"".join(iter(lambda: reader.read(1 << 16), b""))


def use(operation: str, large: Path, small: Path) -> object:
    """Does what leads to the operation."""
    if operation == "list":
        return bucket.list_objects("gs://bucket/home")
    if operation in ("look", "download"):
        return read_all()
    return bucket.upload(small if operation == "insert" else large, URI, {"key": "value"})


def prepare(fake: FakeBucket, operation: str) -> None:
    if operation in ("list", "look", "download"):
        fake.put("home/object", CONTENT)


def check(fake: FakeBucket, operation: str, result: object, large: Path, small: Path) -> None:
    """Checks that the bucket and the result are what they would be without the fault."""
    if operation == "list":
        assert result == [URI]
    elif operation in ("look", "download"):
        assert result == CONTENT
    else:
        sent = small if operation == "insert" else large
        assert fake.objects == {"home/object": sent.read_bytes()}
        assert fake.resources["home/object"]["metadata"] == {"key": "value"}
        assert len(fake.committed) == 1


OPERATIONS = ("list", "look", "insert", "start", "chunk", "finish", "download")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_a_fault_that_passes_is_overcome(
    fault: StorageFault, operation: str, fake: FakeBucket, large: Path, small: Path
) -> None:
    prepare(fake, operation)
    fake.fail(operation, fault, times=2)
    started = time.monotonic()
    result = use(operation, large, small)
    assert time.monotonic() - started < SECONDS
    assert fake.faults[operation] == []
    check(fake, operation, result, large, small)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING.keys())
def test_a_fault_that_lasts_is_a_typed_error_of_one_line_in_bounded_time(
    fault: StorageFault,
    operation: str,
    fake: FakeBucket,
    large: Path,
    small: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(storage, "RETRY_SECONDS", 0.15)
    prepare(fake, operation)
    fake.fail(operation, fault, times=1000)
    started = time.monotonic()
    with pytest.raises(BucketError) as caught:
        use(operation, large, small)
    assert time.monotonic() - started < SECONDS
    text = str(caught.value)
    assert "gs://bucket" in text
    assert text.isprintable()
    assert "upload_id=" not in text
    assert re.search("; (run again|look at the network|grant the role|run gcloud auth)", text)
    assert fake.committed == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_answer_that_ends_in_the_middle_is_asked_for_again(
    operation: str, fake: FakeBucket, large: Path, small: Path
) -> None:
    prepare(fake, operation)
    fake.fail(operation, StorageFault(act=half), times=2)
    check(fake, operation, use(operation, large, small), large, small)


@pytest.mark.parametrize("operation", ["list", "look", "start", "chunk", "download"])
def test_answers_that_all_end_in_the_middle_are_a_typed_error(
    operation: str, fake: FakeBucket, large: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "RETRY_SECONDS", 0.15)
    prepare(fake, operation)
    fake.fail(operation, StorageFault(act=half), times=1000)
    with pytest.raises(BucketError, match=r"cannot be reached|damaged|run again"):
        use(operation, large, small)


@pytest.mark.parametrize("operation", ["chunk", "finish"])
@pytest.mark.parametrize("act", BROKEN.values(), ids=BROKEN.keys())
def test_an_upload_that_breaks_off_begins_anew(
    act: Callable[[StorageHandler, Request], None],
    operation: str,
    fake: FakeBucket,
    large: Path,
    small: Path,
) -> None:
    fake.fail(operation, StorageFault(act=act))
    assert use(operation, large, small) is True
    check(fake, operation, True, large, small)


@pytest.mark.parametrize("operation", ["chunk", "finish"])
@pytest.mark.parametrize("act", BROKEN.values(), ids=BROKEN.keys())
def test_an_upload_that_breaks_off_again_and_again_is_a_typed_error(
    act: Callable[[StorageHandler, Request], None],
    operation: str,
    fake: FakeBucket,
    large: Path,
    small: Path,
) -> None:
    fake.fail(operation, StorageFault(act=act), times=100)
    with pytest.raises(BucketError, match=r"gs://bucket/home/object.*run again") as caught:
        use(operation, large, small)
    assert "upload_id=" not in str(caught.value)
    assert fake.committed == []


def test_an_upload_in_one_piece_that_arrives_damaged_is_sent_again(
    fake: FakeBucket, small: Path
) -> None:
    fake.fail("insert", StorageFault(act=damaged))
    assert bucket.upload(small, URI, {})
    assert fake.committed == [("home/object", small.read_bytes())]


@pytest.mark.parametrize("operation", ["insert", "start", "chunk", "finish"])
@pytest.mark.parametrize("same", [True, False], ids=["the same bytes", "other bytes"])
def test_a_second_writer_who_was_faster_is_noticed_at_whatever_point_he_was(
    operation: str, same: bool, fake: FakeBucket, large: Path, small: Path
) -> None:
    path = small if operation == "insert" else large
    theirs = path.read_bytes() if same else b"something else"

    def write(now: str, moment: str) -> None:
        if (now, moment) == (operation, "before") and "home/object" not in fake.objects:
            fake.put("home/object", theirs)

    fake.watch = write
    if same:
        assert bucket.upload(path, URI, {}) is False
    else:
        with pytest.raises(bucket.ObjectDiffersError, match="not overwritten"):
            bucket.upload(path, URI, {})
    assert (fake.objects, fake.committed) == ({"home/object": theirs}, [])


@pytest.mark.parametrize("block", [BLOCK, len(CONTENT)])
def test_a_download_with_a_flipped_bit_is_never_taken_for_the_object(
    block: int, fake: FakeBucket
) -> None:
    fake.put("home/object", CONTENT)
    fake.damage = True
    reader = bucket.open_object(URI, block)
    with pytest.raises(BucketError, match="arrived damaged"):
        for _ in itertools.count():
            assert reader.read(1 << 16)


def test_an_object_that_is_replaced_while_it_is_read_is_not_mixed(fake: FakeBucket) -> None:
    fake.put("home/object", CONTENT)
    reader = bucket.open_object(URI, BLOCK)
    assert reader.read(1000) == CONTENT[:1000]
    fake.put("home/object", bytes(len(CONTENT)))
    with pytest.raises(BucketError, match="is gone; run again with --no-cache"):
        while reader.read(1 << 16):
            pass
