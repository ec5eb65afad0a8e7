"""Packs a folder of pictures: finds them, prepares them, splits them, writes them."""

import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from components.dataset.description import Description
from components.dataset.facts import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from pipeline.errors import CommandError
from pipeline.packing import split
from pipeline.packing.folder import TEST, TRAIN, Found, Picture
from pipeline.packing.output import replaced, write_images, write_labels
from pipeline.packing.pixels import prepared

SCRATCH: Final = "pixels"
FILES: Final = {TRAIN: (TRAIN_IMAGES, TRAIN_LABELS), TEST: (TEST_IMAGES, TEST_LABELS)}


Refused = tuple[Picture, str]
"""A picture that is left out, and why."""
Pair = tuple[str, str]
"""The files of two equal pictures."""


@dataclasses.dataclass(frozen=True)
class Packed:
    """What came of a folder.

    Attributes:
        description: Of the data, with the digests of the files.
        counts: Pictures of each class, by split.
        refused: The pictures that are left out, with the reasons.
        between_splits: Equal pictures of the two splits: a test picture and one for training.
        between_classes: Equal pictures of two classes.
    """

    description: Description
    counts: Mapping[str, Sequence[int]]
    refused: Sequence[Refused]
    between_splits: Sequence[Pair]
    between_classes: Sequence[Pair]

    def as_json(self) -> dict[str, Any]:
        """It as JSON values."""
        return {
            "dataset": self.description.as_dict(),
            "counts": self.counts,
            "refused": [{"file": one.file, "error": error} for one, error in self.refused],
            "between_splits": self.between_splits,
            "between_classes": self.between_classes,
        }


def pack(
    folder: Path,
    found: Found,
    out: Path,
    description: Description,
    *,
    share: float,
    seed: int,
    seen: Callable[[], None],
) -> Packed:
    """Writes the four IDX files of a folder's pictures and their description into ``out``.

    Equal pictures and arguments give equal bytes. Memory: a constant, and the names and digests.

    Args:
        folder: Where the pictures are.
        found: The pictures.
        out: A folder that is missing, empty, or an earlier result, which it replaces.
        description: Of the data, without digests.
        share: Of each class, for the test; used where no folder says it.
        seed: Decides the order, and which pictures are for the test.
        seen: Called after each picture.

    Raises:
        CommandError: No picture is left of a class, or none for the test.
        DiskError: The disk is full.
    """
    with replaced(out) as new:
        path = new / SCRATCH
        with path.open("wb+") as scratch:
            kept, refused = _kept(folder, found, description, scratch, seen)
            _check(kept, refused, found, folder)
            groups = split.groups_of(kept.digests)
            places = _places(kept, groups, None if found.has_test else share, seed)
            if not places[TEST]:
                raise CommandError(
                    f"{folder}: no pictures are left for the test; add some to a class"
                )
            digests: dict[str, str] = {}
            for part, (images, labels) in FILES.items():
                pixels = _pixels(scratch, places[part], description.image_bytes)
                digests[images] = write_images(
                    new / f"{images}.gz", pixels, len(places[part]), description
                )
                own = bytes(kept.pictures[place].label for place in places[part])
                digests[labels] = write_labels(new / f"{labels}.gz", own)
        path.unlink()
        description = dataclasses.replace(description, digests=digests)
        description.write(new)
    counts = {part: _counts(kept, places[part], len(found.classes)) for part in FILES}
    between = _repeats(kept, groups, places)
    return Packed(description, counts, refused, *between)


class _Kept(NamedTuple):
    """Pictures in the order of their pixels in the scratch file, and the digests of these."""

    pictures: list[Picture]
    digests: list[bytes]


def _kept(
    folder: Path,
    found: Found,
    description: Description,
    scratch: BinaryIO,
    seen: Callable[[], None],
) -> tuple[_Kept, list[Refused]]:
    kept, refused = _Kept([], []), list[Refused]()
    for picture, pixels in prepared(folder, found.pictures, description):
        if isinstance(pixels, str):
            refused.append((picture, pixels))
        else:
            kept.pictures.append(picture)
            kept.digests.append(split.DIGEST(pixels).digest())
            scratch.write(pixels)
        seen()
    scratch.flush()
    return kept, refused


def _check(kept: _Kept, refused: Sequence[Refused], found: Found, folder: Path) -> None:
    labels = {picture.label for picture in kept.pictures if picture.split != TEST}
    for picture, reason in refused:
        if picture.label not in labels and picture.split != TEST:
            name = found.classes[picture.label]
            raise CommandError(
                f"{folder}: no training picture of {name} can be used; {picture.file}: {reason}"
            )


def _places(
    kept: _Kept, groups: split.Groups, share: float | None, seed: int
) -> dict[str, list[int]]:
    """The places of the pictures of each split in the order in which they are written."""
    labels = [picture.label for picture in kept.pictures]
    test = set() if share is None else split.chosen(groups, labels, share, seed)
    places: dict[str, list[int]] = {TRAIN: [], TEST: []}
    for digest in split.in_order(groups, seed):
        for place in groups[digest]:
            part = TEST if digest in test else kept.pictures[place].split or TRAIN
            places[part].append(place)
    return places


def _pixels(scratch: BinaryIO, places: Sequence[int], size: int) -> Iterator[bytes]:
    for place in places:
        yield os.pread(scratch.fileno(), size, place * size)


def _counts(kept: _Kept, places: Sequence[int], classes: int) -> list[int]:
    counts = Counter(kept.pictures[place].label for place in places)
    return [counts[label] for label in range(classes)]


def _repeats(
    kept: _Kept, groups: split.Groups, places: Mapping[str, Sequence[int]]
) -> tuple[list[Pair], list[Pair]]:
    test = set(places[TEST])
    splits, classes = list[Pair](), list[Pair]()
    for group in groups.values():
        names = {place: kept.pictures[place].file for place in group}
        train = next((place for place in group if place not in test), None)
        if train is not None:
            splits += [(names[place], names[train]) for place in group if place in test]
        # The last one set for a label is the first one of a class.
        firsts = {kept.pictures[place].label: names[place] for place in reversed(group)}
        one, *others = [firsts[label] for label in sorted(firsts)]
        classes += [(one, other) for other in others]
    return splits, classes
