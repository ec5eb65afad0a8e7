import dataclasses
import gzip
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.cloud.storage.retry import DEFAULT_RETRY

from components.dataset import bucket, folder
from components.dataset.errors import BucketError
from tests.fakes import refusals
from tests.fakes.refusals import UID
from tests.fakes.storage import (
    FakeBucket,
    Request,
    StorageFault,
    StorageHandler,
    serve_storage,
)
from tests.fakes.wire import Fault

BLOCK = 256 << 10
"""The smallest chunk of a resumable upload that the service takes."""
CONTENT = bytes(range(256)) * 3000
URI = "gs://bucket/home/object"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBucket]:
    """A fake bucket whose clients retry soon, give up soon, and send in small chunks."""
    with serve_storage() as fake:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.host)
        monkeypatch.setattr(bucket, "TIMEOUT", (5, 10))
        monkeypatch.setattr(bucket, "BACKOFF_SECONDS", 0.01)
        monkeypatch.setattr(bucket, "RETRY_SECONDS", 20.0)
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


def test_an_address_is_a_bucket_and_a_name_and_others_are_refused() -> None:
    assert bucket.parse_uri("gs://bucket") == ("bucket", "")
    assert bucket.parse_uri("gs://bucket/a/b/") == ("bucket", "a/b")
    for uri in ("", "bucket/a", "gs:///a", "s3://bucket/a"):
        with pytest.raises(BucketError, match="expected gs://BUCKET"):
            bucket.parse_uri(uri)


def test_an_upload_carries_metadata_and_is_done_once(fake: FakeBucket, small: Path) -> None:
    assert bucket.upload(small, URI, {"key": "value"}) is True
    assert bucket.upload(small, URI, {"key": "value"}) is False
    assert fake.committed == [("home/object", small.read_bytes())]
    there = bucket.stat(URI)
    assert (there.size, there.metadata) == (small.stat().st_size, {"key": "value"})


MISSING = "the bucket gs://elsewhere does not exist; create"


@pytest.mark.parametrize(
    ("call", "refuse", "said"),
    [
        (lambda path: folder.fetch_object(URI, path), False, f"{URI} is gone; .* --no-cache"),
        (lambda _: bucket.check_bucket("gs://elsewhere/a"), False, MISSING),
        (lambda path: bucket.upload(path, "gs://elsewhere/a"), False, MISSING),
        (lambda path: bucket.upload(path, URI), True, r"roles/storage\.objectAdmin on gs://bucket"),
        (lambda _: bucket.stat(URI), True, r"objectViewer on gs://bucket to someone@example\.com"),
    ],
)
def test_what_is_missing_or_refused_is_named_with_what_to_do(
    call: Callable[[Path], object], refuse: bool, said: str, fake: FakeBucket, small: Path
) -> None:
    assert bucket.stat(URI) is None
    fake.refuse = refuse
    with pytest.raises(BucketError, match=said):
        call(small)


REFUSALS = [
    (refusals.RETENTION, "storage buckets update gs://bucket --clear-retention-period`"),
    (refusals.HOLD, f"storage objects update {URI} --no-event-based-hold"),
    (refusals.REQUESTER_PAYS, "`gcloud storage buckets update gs://bucket --no-requester-pays`"),
    (refusals.ACCOUNT_DISABLED, "link the project to an open billing account at https://"),
    (refusals.KMS_DENIED, "`gcloud storage service-agent --authorize-cmek=KEY`"),
    (refusals.KMS_DISABLED, "enable the key's version"),
    (refusals.VPC, f"VPC Service Controls perimeter to allow it; the audit log has it under {UID}"),
    (refusals.SCOPES, "with the scope https://www.googleapis.com/auth/cloud-platform"),
    (refusals.NO_QUOTA_PROJECT, "--role=roles/serviceusage.serviceUsageConsumer`"),
    (
        refusals.SERVICE_DISABLED,
        "`gcloud services enable aiplatform.googleapis.com --project 72007",
    ),
    (refusals.NO_ACCESS, "roles/storage.objectAdmin on gs://bucket to robot@my-project.iam.gserv"),
    (refusals.RATE_OF_OBJECT, "run again in some minutes"),
]


@pytest.mark.parametrize("operation", ["insert", "delete"])
@pytest.mark.parametrize(("shape", "said"), REFUSALS)
def test_a_refusal_says_what_to_do_about_its_reason(
    shape: Fault,
    said: str,
    operation: str,
    fake: FakeBucket,
    large: Path,
    small: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if shape.status == 429:
        monkeypatch.setattr(bucket, "RETRY_SECONDS", 0.15)
    fake.fail(operation, StorageFault(status=shape.status, body=shape.body), times=1000)
    with pytest.raises(BucketError, match=f"^{URI} refuses ") as caught:
        use(operation, fake, large, small)
    assert said in str(caught.value)
    used = 1000 - len(fake.faults[operation])
    assert used == 1 or shape.status == 429, "what does not pass is not repeated"


@pytest.mark.parametrize("shape", [refusals.BLOCKED, refusals.NO_REASON])
def test_an_unknown_refusal_is_the_services_own_words(shape: Fault, fake: FakeBucket) -> None:
    fake.fail("look", StorageFault(shape.status, message=shape.message, body=shape.body))
    with pytest.raises(BucketError) as caught:
        bucket.stat(URI)
    assert str(caught.value) == f"{URI} refuses ({shape.message.rstrip('.')})"


def test_a_folder_is_published_the_oldest_file_first_and_fetched(
    tmp_path: Path, fake: FakeBucket
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    for second, name in enumerate(("b", "c", "a")):
        (here / name).write_text(name)
        os.utime(here / name, (1, 1 + second))
    fake.put("home/removed", b"older")
    fake.put("home/a", b"older")
    folder.publish(here, "gs://bucket/home")
    assert [name for name, _ in fake.committed] == ["home/b", "home/c", "home/a"]
    assert fake.objects == {f"home/{name}": name.encode() for name in "abc"}
    fetched = folder.fetch("gs://bucket/home", tmp_path / "there")
    assert [(path.name, path.read_text()) for path in fetched] == [(n, n) for n in "abc"]


def test_objects_that_cannot_be_files_are_neither_fetched_nor_removed(
    tmp_path: Path, fake: FakeBucket
) -> None:
    for name in ("a/", "a/x", "a/b/", "a/b/x", "a/../c", "a//x", "ab/x"):
        fake.put(name, name.encode())
    fetched = folder.fetch("gs://bucket/a", tmp_path / "here")
    assert fetched == [tmp_path / "here" / "b" / "x", tmp_path / "here" / "x"]
    folder.remove("gs://bucket/a")
    assert set(fake.objects) == {"a/", "a/b/", "a/../c", "a//x", "ab/x"}


def half(handler: StorageHandler, request: Request) -> None:
    status, headers, content = handler.carry_out(request)
    handler.send_response(status)
    for name, value in (headers | {"Content-Length": str(len(content))}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content[: len(content) // 2])
    handler.close_connection = True


def page(handler: StorageHandler, request: Request) -> None:
    handler.answer(200, {"Content-Type": "text/html"}, b"<html>Please log in</html>")


def damaged(handler: StorageHandler, request: Request) -> None:
    """Carries out what arrives with a flipped bit."""
    body = bytearray(request.body)
    body[len(body) // 2] ^= 1
    handler.answer(*handler.carry_out(dataclasses.replace(request, body=bytes(body))))


def forgotten(handler: StorageHandler, request: Request) -> None:
    """Has lost the upload that has started."""
    handler.fake.sessions.clear()
    handler.answer(*handler.carry_out(request))


def partly_kept(handler: StorageHandler, request: Request) -> None:
    """Keeps less than was sent, and says so."""
    session = handler.fake.sessions[request.query["upload_id"][0]]
    session.received += request.body[: len(request.body) // 2]
    handler.answer(308, {"Range": f"bytes=0-{len(session.received) - 1}"}, b"")


def act(function: Callable[[StorageHandler, Request], None]) -> StorageFault:
    return StorageFault(act=function)


def use(operation: str, fake: FakeBucket, large: Path, small: Path) -> None:
    """Does what needs the operation; checks that the result is right."""
    if operation in ("list", "look", "download", "delete"):
        fake.put("home/object", CONTENT)
    if operation == "list":
        assert folder.list_files("gs://bucket/home") == [URI]
    elif operation == "delete":
        folder.remove("gs://bucket/home")
        assert fake.objects == {}
    elif operation == "look":
        assert bucket.stat(URI).size == len(CONTENT)
    elif operation == "download":
        copy = folder.fetch_object(URI, large.with_name("copy"))
        assert copy.read_bytes() == CONTENT
    else:
        path = small if operation == "insert" else large
        bucket.upload(path, URI, {"key": "value"})
        assert fake.committed == [("home/object", path.read_bytes())]
        assert fake.resources["home/object"]["metadata"] == {"key": "value"}


DONE = StorageFault(after=True)
PASSING = [
    *[("list", StorageFault(status=408)), ("look", StorageFault(status=429))],
    *[("insert", StorageFault(status=500)), ("start", StorageFault(status=502))],
    *[("chunk", StorageFault(status=503)), ("delete", StorageFault(status=500))],
    *[("download", StorageFault()), ("insert", DONE), ("finish", DONE), ("delete", DONE)],
    *[("download", StorageFault(stall=0.4)), ("chunk", StorageFault(stall=0.4))],
    *[("look", act(half)), ("download", act(half)), ("insert", act(damaged))],
    *[("chunk", act(damaged)), ("chunk", act(forgotten)), ("chunk", act(partly_kept))],
    ("finish", StorageFault(status=410)),
]


@pytest.mark.parametrize(("operation", "fault"), PASSING)
def test_a_fault_that_passes_is_overcome(
    operation: str,
    fault: StorageFault,
    fake: FakeBucket,
    large: Path,
    small: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if fault.stall:
        monkeypatch.setattr(bucket, "TIMEOUT", (5, 0.3))
    fake.fail(operation, fault)
    use(operation, fake, large, small)
    assert fake.faults[operation] == []


LASTING = [
    *[("insert", StorageFault(status=400)), ("look", StorageFault(status=401))],
    *[("list", StorageFault(status=403)), ("download", StorageFault(status=429))],
    *[("chunk", StorageFault(status=503)), ("start", StorageFault(status=418))],
    *[("delete", StorageFault()), ("download", StorageFault(stall=0.4))],
    *[("look", act(page)), ("insert", act(page)), ("download", act(half))],
    *[("insert", act(damaged)), ("chunk", act(forgotten)), ("chunk", act(partly_kept))],
]


@pytest.mark.parametrize(("operation", "fault"), LASTING)
def test_a_fault_that_lasts_is_an_error_of_one_line(
    operation: str,
    fault: StorageFault,
    fake: FakeBucket,
    large: Path,
    small: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bucket, "RETRY_SECONDS", 0.15)
    fake.fail(operation, fault, times=1000)
    with pytest.raises(BucketError) as caught:
        use(operation, fake, large, small)
    text = str(caught.value)
    assert "gs://bucket" in text
    assert text.isprintable()
    assert "upload_id=" not in text
    assert re.search(r"; (run again|look at the network)| (refuses|needs credentials) \(", text)
    assert fake.committed == []


def test_a_flipped_bit_of_a_download_is_noticed(fake: FakeBucket, tmp_path: Path) -> None:
    fake.put("home/object", CONTENT)
    fake.damage = True
    with pytest.raises(BucketError, match=f"{URI} arrived damaged"):
        folder.fetch_object(URI, tmp_path / "copy")


@pytest.mark.parametrize("operation", ["insert", "start", "chunk", "finish"])
@pytest.mark.parametrize("same", [True, False], ids=["the same bytes", "other bytes"])
def test_a_second_writer_who_was_faster_is_noticed_and_not_overwritten(
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
