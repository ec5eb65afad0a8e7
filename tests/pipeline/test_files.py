import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import files as durable


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_file_gets_its_content_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    durable.write(tmp_path / "file", "text")
    durable.write(tmp_path / "file", b"\xff")
    assert (tmp_path / "file").read_bytes() == b"\xff"
    assert names(tmp_path) == ["file"]


def test_a_full_disk_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    durable.write(tmp_path / "file", "before")

    def half(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left"):
        durable.write(tmp_path / "file", "after")
    assert (tmp_path / "file").read_text() == "before"
    assert names(tmp_path) == ["file"]


def test_a_reader_finds_no_half_of_a_file_that_is_written_over_and_over(tmp_path: Path) -> None:
    path = tmp_path / "file"
    durable.write(path, b"0" * 200_000)
    code = (
        "import sys; from pathlib import Path; from pipeline import files as durable\n"
        "for digit in range(10_000): durable.write("
        "Path(sys.argv[1]), str(digit % 10).encode() * 200_000, sync=False)"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)])
    try:
        seen: set[bytes] = set()
        deadline = time.monotonic() + 20
        while len(seen) < 5 and time.monotonic() < deadline:
            content = path.read_bytes()
            assert len(content) == 200_000
            assert content == content[:1] * 200_000
            seen.add(content[:1])
    finally:
        writer.kill()
        writer.wait()
    assert len(seen) == 5
    assert len(path.read_bytes()) == 200_000


def test_a_link_stays_one_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere/file")
    for text in ("first", "second"):
        durable.write(tmp_path / "link", text)
        assert (tmp_path / "elsewhere" / "file").read_text() == text
    assert (tmp_path / "link").is_symlink()


def test_what_is_no_file_is_written_to_and_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    durable.write(tmp_path / "pipe", "text")
    assert os.read(reader, 10) == b"text"
    os.close(reader)
    assert (tmp_path / "pipe").is_fifo()
    assert names(tmp_path) == ["pipe"]


@pytest.mark.parametrize("name", ["none/file", "file/file", "folder"])
def test_what_cannot_be_written_is_named_as_it_was_asked_for(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match=f"'{tmp_path / name}'$"):
        durable.write(tmp_path / name, "text")
    assert names(tmp_path) == ["file", "folder"]
