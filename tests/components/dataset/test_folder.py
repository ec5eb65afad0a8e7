import os
from pathlib import Path

import pytest

from components.dataset import folder
from tests.fakes.storage import FakeBucket


def test_files_are_published_in_the_order_in_which_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for second, name in enumerate(("ckpt-1.data-00000-of-00001", "ckpt-1.index", "a")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1, 1 + second))
    published: list[str] = []
    monkeypatch.setattr(folder, "list_objects", lambda uri: [])
    monkeypatch.setattr(folder, "publish_file", lambda path, uri: published.append(path.name))
    folder.publish(tmp_path, "gs://bucket/checkpoints")
    assert published == ["ckpt-1.data-00000-of-00001", "ckpt-1.index", "a"]


def test_objects_that_are_no_files_of_a_folder_are_neither_fetched_nor_removed(
    tmp_path: Path, quick_bucket: FakeBucket
) -> None:
    for name in ("a/", "a/x", "a/b/", "a/b/x", "a/../c", "a//x"):
        quick_bucket.put(name, name.encode())
    fetched = folder.fetch("gs://bucket/a", tmp_path / "here")
    assert {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in fetched} == {
        "here/b/x": b"a/b/x",
        "here/x": b"a/x",
    }
    folder.publish(tmp_path / "here", "gs://bucket/a")
    folder.remove("gs://bucket/a")
    assert set(quick_bucket.objects) == {"a/", "a/b/", "a/../c", "a//x"}
