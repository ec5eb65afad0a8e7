import os
from pathlib import Path

import pytest

from components.dataset import folder


@pytest.mark.parametrize("newer", [0, 1])
def test_what_names_other_files_is_published_after_them(
    newer: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("checkpoint", "ckpt-1.index", "ckpt-1.data-00000-of-00001"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1, 1 + newer * (name != "checkpoint")))
    published: list[str] = []
    monkeypatch.setattr(folder, "list_objects", lambda uri: [])
    monkeypatch.setattr(folder, "publish_file", lambda path, uri: published.append(path.name))
    folder.publish(tmp_path, "gs://bucket/checkpoints")
    assert published == ["ckpt-1.data-00000-of-00001", "ckpt-1.index", "checkpoint"]
