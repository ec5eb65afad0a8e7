import errno
from pathlib import Path

import pytest

from components.dataset.errors import DiskError
from components.ingest.fashion_mnist import find_raw
from pipeline.errors import UsageError
from pipeline.packing.output import check_output, replaced


def test_a_place_in_the_folder_is_refused_under_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    for out in (folder, folder / "set", tmp_path / "link" / "set", tmp_path / "x/../photos/set"):
        with pytest.raises(UsageError, match=r"is in .*photos, where the pictures are"):
            check_output(out, folder)


def test_other_files_are_not_overwritten(tmp_path: Path) -> None:
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.touch()
    with pytest.raises(UsageError, match="file is a file; choose a new folder"):
        check_output(file, tmp_path / "photos")
    with pytest.raises(UsageError, match="/proc is a mounted disk; choose a folder on it"):
        check_output(Path("/proc"), tmp_path / "photos")
    folder.mkdir()
    check_output(folder, tmp_path / "photos")
    (folder / "dataset.json").touch()
    with pytest.raises(UsageError, match="folder is not empty; choose a new folder, or remove"):
        check_output(folder, tmp_path / "photos")


@pytest.mark.real_data
def test_downloaded_files_are_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not empty"):
        check_output(find_raw(), tmp_path)


def test_a_failure_leaves_the_earlier_result(tmp_path: Path) -> None:
    for content in ("first", "second"):
        with replaced(tmp_path / "deep/out") as new:
            (new / "file").write_text(content)
    with pytest.raises(KeyboardInterrupt), replaced(tmp_path / "deep/out") as new:
        (new / "file").write_text("third")
        raise KeyboardInterrupt
    assert {path.name: path.read_text() for path in tmp_path.glob("deep/out/*")} == {
        "file": "second"
    }
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]


def test_a_place_that_cannot_be_written_is_named() -> None:
    with pytest.raises(OSError, match="'/proc/out'"), replaced(Path("/proc/out")):
        pass


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    told = f"the disk is full at {tmp_path}; free some space"
    with pytest.raises(DiskError, match=told), replaced(tmp_path / "out"):
        raise OSError(errno.ENOSPC, "No space left on device")
