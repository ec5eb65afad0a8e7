import errno
import os
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from components.dataset import raw
from components.dataset.errors import SourceError
from components.dataset.facts import TRAIN_LABELS
from components.ingest import sources
from components.ingest.sources import resolve
from tests.fakes.storage import FakeBucket


def test_without_a_source_the_order_is_system_project_mirrors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(raw, "SYSTEM_DIRECTORY", "/usr/share/data")
    monkeypatch.setattr(sources, "MIRRORS", ("http://one/", "http://two/"))
    monkeypatch.setenv("FASHION_MNIST_DATA", "/checkout/data")
    labels = [source.label for source in resolve("")]
    assert labels == ["/usr/share/data", "/checkout/data", "http://one/", "http://two/"]


def test_the_project_directory_is_data_here_where_the_variable_is_not_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FASHION_MNIST_DATA")
    assert resolve("")[1].label == str(Path.cwd() / "data")


def test_a_missing_directory_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere is not a directory"):
        resolve(str(tmp_path / "nowhere"))


def test_a_base_address_needs_no_slash_at_its_end() -> None:
    assert resolve("https://host/path")[0].label == "https://host/path/"


def test_a_directory_serves_compressed_files_first(tmp_path: Path) -> None:
    (tmp_path / TRAIN_LABELS).write_bytes(b"plain")
    with resolve(str(tmp_path))[0].open(TRAIN_LABELS) as stream:
        assert stream.read(10) == b"plain"
    (tmp_path / f"{TRAIN_LABELS}.gz").write_bytes(b"packed")
    with resolve(str(tmp_path))[0].open(TRAIN_LABELS) as stream:
        assert stream.read(10) == b"packed"


def test_a_bucket_serves_what_lies_below_the_prefix(fake: FakeBucket) -> None:
    fake.put(f"some/where/{TRAIN_LABELS}", b"plain")
    source = resolve("gs://bucket/some/where/")[0]
    with source.open(TRAIN_LABELS) as stream:
        assert stream.read(10) == b"plain"
    with pytest.raises(SourceError, match=r"no other\.gz there"), source.open("other"):
        pass


class Failing:
    """An open file on a disk that fails."""

    def read(self, size: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    def tell(self) -> int:
        return 5


def test_a_disk_that_fails_is_a_fault_of_the_source() -> None:
    file = cast(BinaryIO, Failing())
    with pytest.raises(SourceError, match=r"cannot be read at byte 5 \(Input/output error\)"):
        sources.File(file).read(10)


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO])
def test_a_directory_that_cannot_be_looked_into_says_so(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = resolve(str(tmp_path))[0]

    def refuse(path: Path) -> bool:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "is_file", refuse)
    with pytest.raises(SourceError, match=r"cannot be read \(.*\)"), directory.open(TRAIN_LABELS):
        pass
