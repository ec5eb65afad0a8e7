"""Files that are found whole or not at all."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import files


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_full_disk_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write(tmp_path / "file", "before")

    def half(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left") as caught:
        files.write(tmp_path / "file", "after")
    assert caught.value.filename == str(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "before"
    assert names(tmp_path) == ["file"]


def test_a_reader_finds_one_content_or_the_other_even_when_the_writer_is_killed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "file"
    files.write(path, b"0" * 200_000)
    script = (
        "import sys; from pathlib import Path; from pipeline import files\n"
        "for digit in range(10_000): files.write("
        "Path(sys.argv[1]), str(digit % 10).encode() * 200_000)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", script, str(path)])
    seen: set[bytes] = set()
    until = time.monotonic() + 30
    while len(seen) < 3 and time.monotonic() < until:
        content = path.read_bytes()
        assert content == content[:1] * 200_000
        seen.add(content[:1])
    writer.kill()
    writer.wait()
    content = path.read_bytes()
    assert content == content[:1] * 200_000
    assert len(seen) == 3


def test_the_target_of_a_link_is_replaced_and_a_device_is_written_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("target")
    for text in ("first", "second"):
        files.write(tmp_path / "link", text)
        assert (tmp_path / "target").read_text() == text
    assert names(tmp_path) == ["link", "target"]
    files.write(Path(os.devnull), "text")
    assert Path(os.devnull).is_char_device()
