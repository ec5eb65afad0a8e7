"""Which pictures are in a folder, of which class and split."""

import dataclasses
import os
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Final, NamedTuple

from components.dataset.description import CLASSES
from pipeline.errors import CommandError, UsageError
from pipeline.photos.predictions import ENDINGS

TRAIN: Final = "train"
TEST: Final = "test"
SPLITS: Final = {
    TRAIN: TRAIN,
    "training": TRAIN,
    "val": TRAIN,
    "valid": TRAIN,
    "validation": TRAIN,
    TEST: TEST,
    "testing": TEST,
}
"""The split by the name of a folder. Decode holds out validation examples itself."""
LAYOUT: Final = "put the pictures of each class into a folder of its own"


@dataclasses.dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a class.

    Attributes:
        file: Its path in the folder.
        label: The number of its class.
        split: ``train`` or ``test``; empty if its folder does not say.
    """

    file: str
    label: int
    split: str


class Found(NamedTuple):
    """What a folder contains.

    Attributes:
        classes: The names of the classes' folders, sorted.
        pictures: In the order of their classes and paths.
        others: How many files have endings that are not of pictures, by the ending.
        validation: Folders whose pictures count to the training split.
        ignored: Folders next to the folders of the splits.
    """

    classes: tuple[str, ...]
    pictures: list[Picture]
    others: Counter[str]
    validation: tuple[str, ...]
    ignored: tuple[str, ...]

    @property
    def has_test(self) -> bool:
        """Whether a folder says which pictures are for the test."""
        return any(picture.split == TEST for picture in self.pictures)


def find(folder: Path) -> Found:
    """Finds the pictures of a folder with a folder for each class.

    The classes can also be in each of the folders ``train`` and ``test``. Hidden files and folders
    are left out. The order does not depend on the file system.

    Raises:
        UsageError: There is no such folder, or not one folder for each of 2 to 256 classes.
        CommandError: A class has no picture for training.
    """
    if not folder.is_dir():
        state = "is a file" if folder.exists() else "does not exist"
        raise UsageError(f"{folder} {state}; give a folder that has a folder for each class")
    splits = _splits(folder)
    roots = splits or {folder: ""}
    by_split = {root: _class_folders(root) for root in roots}
    classes = tuple(sorted({each.name for found in by_split.values() for each in found}))
    _check_classes(classes, folder)
    pictures, others = list[Picture](), Counter[str]()
    for root, split in roots.items():
        for each in by_split[root]:
            label = classes.index(each.name)
            for path in _files(each):
                if (ending := path.suffix.lower()) in ENDINGS:
                    pictures.append(Picture(str(path.relative_to(folder)), label, split))
                else:
                    others[ending] += 1
    pictures.sort(key=lambda picture: (picture.label, picture.file))
    _check_every_class(classes, {each.label for each in pictures if each.split != TEST}, folder)
    names = {root.name for root in splits}
    validation = (name for name in names if name.lower().startswith("val"))
    ignored = {each.name for each in _folders(folder)} - names if splits else ()
    return Found(classes, pictures, others, tuple(sorted(validation)), tuple(sorted(ignored)))


def _splits(folder: Path) -> dict[Path, str]:
    """The folders of the splits, by which the classes are; empty if there are none.

    A class may have the name too, as of a train: it has pictures, and no neighbour of that kind.
    """
    folders = _folders(folder)
    named = {each: SPLITS[name] for each in folders if (name := each.name.lower()) in SPLITS}
    trains = [each for each in named if each.name.lower().startswith(TRAIN)]
    holds_classes = trains and all(_folders(each) and not _loose(each) for each in trains)
    return named if holds_classes and (len(named) > 1 or len(folders) == 1) else {}


def _class_folders(folder: Path) -> list[Path]:
    if loose := _loose(folder):
        raise UsageError(f"{folder} has pictures directly in it, as {loose}; {LAYOUT}")
    return _folders(folder)


def _check_classes(classes: tuple[str, ...], folder: Path) -> None:
    fewest, most = CLASSES
    if not classes:
        raise UsageError(f"{folder} has no folders; {LAYOUT}")
    if len(classes) < fewest:
        inner = folder / classes[0]
        hint = f"give {inner} if they are in there" if _folders(inner) else LAYOUT
        raise UsageError(f"{folder} has one folder, {classes[0]}, but classes are needed; {hint}")
    if len(classes) > most:
        raise UsageError(f"{folder} has {len(classes)} folders, but at most {most} classes fit")
    for name in classes:
        if not name.isprintable() or not name.strip():
            raise UsageError(f"{folder / name}: the name cannot be a class's; rename the folder")


def _check_every_class(classes: Sequence[str], labels: Set[int], folder: Path) -> None:
    if missing := [name for label, name in enumerate(classes) if label not in labels]:
        raise CommandError(
            f"{folder}: no pictures for training in the folder {_few(missing)}; add some, or "
            "remove it"
        )


def _folders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.name[0] != "." and each.is_dir())


def _loose(folder: Path) -> str:
    """The name of a picture directly in a folder; empty if there is none."""
    names = (each.name for each in folder.iterdir() if each.suffix.lower() in ENDINGS)
    return min((name for name in names if name[0] != "."), default="")


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name[0] != "."]
        yield from (Path(place, name) for name in names if name[0] != ".")


def _few(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
