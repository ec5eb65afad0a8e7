from pathlib import Path

import pytest

from pipeline.errors import CommandError, UsageError
from pipeline.packing.folder import find


def make(folder: Path, *files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    return folder


def splits(folder: Path) -> list[tuple[str, str, str]]:
    found = find(folder)
    return [(each.file, found.classes[each.label], each.split) for each in found.pictures]


def test_a_folder_is_a_class_with_its_pictures_in_any_depth(tmp_path: Path) -> None:
    folder = make(tmp_path, "b/2.PNG", "b/x/y/1.jpg", "a/1.webp", "a/notes.txt", "list.csv")
    make(folder, ".cache/1.png", "a/.thumbs/1.png", "b/.2.png")
    assert splits(folder) == [
        ("a/1.webp", "a", ""),
        ("b/2.PNG", "b", ""),
        ("b/x/y/1.jpg", "b", ""),
    ]
    assert find(folder).others == {".txt": 1}


def test_folders_of_the_splits_have_the_classes_in_them(tmp_path: Path) -> None:
    folder = make(tmp_path, "Training/a/1.png", "Training/b/1.png", "valid/a/2.png")
    make(folder, "test/b/3.png", "papers/1.pdf")
    assert splits(folder) == [
        ("Training/a/1.png", "a", "train"),
        ("valid/a/2.png", "a", "train"),
        ("Training/b/1.png", "b", "train"),
        ("test/b/3.png", "b", "test"),
    ]
    found = find(folder)
    assert (found.validation, found.ignored, found.has_test) == (("valid",), ("papers",), True)


@pytest.mark.parametrize(
    "files",
    [
        ("train/1.png", "test/1.png"),
        ("train/steam/1.png", "tram/1.png"),
        ("val/a/1.png", "other/1.png"),
    ],
)
def test_a_class_may_have_the_name_of_a_split(files: tuple[str, ...], tmp_path: Path) -> None:
    folder = make(tmp_path, *files)
    assert find(folder).classes == tuple(sorted(file.split("/")[0] for file in files))


def test_a_linked_class_has_the_pictures_of_its_target(tmp_path: Path) -> None:
    folder = make(tmp_path / "photos", "a/1.png")
    (folder / "b").symlink_to(make(tmp_path / "elsewhere", "1.png"))
    assert [file for file, _, _ in splits(folder)] == ["a/1.png", "b/1.png"]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ((), "has no folders; put the pictures of each class into a folder of its own"),
        (("a/1.png", "b/1.png", "1.jpg"), "has pictures directly in it, as 1.jpg; put the"),
        (("a/1.png",), "has one folder, a, but classes are needed; put the pictures of"),
        (("photos/a/1.png", "photos/b/1.png"), "photos if they are in there"),
        (("train/a/1.png", "test/1.png"), "test has pictures directly in it, as 1.png"),
        (("a/1.png", "b\n/1.png"), "the name cannot be a class's; rename the folder"),
        ([f"{number}/1.png" for number in range(257)], "257 folders, but at most 256 classes"),
    ],
)
def test_a_folder_without_classes_is_refused(
    files: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as raised:
        find(make(tmp_path, *files))
    assert told in str(raised.value)


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gone does not exist; give a folder that has a"):
        find(tmp_path / "gone")
    (tmp_path / "photos.zip").touch()
    with pytest.raises(UsageError, match=r"photos\.zip is a file; give a folder"):
        find(tmp_path / "photos.zip")


@pytest.mark.parametrize(
    "files", [("a/1.png", "b/1.txt"), ("train/a/1.png", "train/b/1.txt", "test/b/1.png")]
)
def test_a_class_without_training_pictures_is_refused(
    files: tuple[str, ...], tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="training in the folder b; add some, or remove it"):
        find(make(tmp_path, *files))
