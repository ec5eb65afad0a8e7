"""What a data set is: its classes, the form of its pictures, and how its files are read.

A ``dataset.json`` holds it. It travels with the raw data, the records and the model.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from components.dataset.errors import DataError, ParameterError
from components.dataset.facts import FILES

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "dataset.json"
SIDES: Final = (8, 256)
"""The fewest and most pixels of a picture's height and width."""
CLASSES: Final = (2, 256)
"""The fewest and most classes."""
CHANNELS: Final = (1, 3)
PREPARATIONS: Final = ("subject", "scaled")
NAME_LENGTH: Final = 128
"""The most characters of a name."""
LIST: Final = "a list of names"


class DescriptionError(ParameterError):
    """A description that says something impossible, or not enough."""


@dataclasses.dataclass(frozen=True)
class Description:
    """A data set.

    Attributes:
        name: What people call it.
        classes: The name of each class, in the order of the labels from 0.
        height: Of a picture, in pixels.
        width: Of a picture, in pixels.
        channels: 1 for grey, 3 for red, green and blue.
        digests: SHA-256 of the decompressed payload of each raw file by its name; empty if unknown.
        first_label: The label of the first class in the raw files.
        transposed: Whether the raw files hold each picture column by column.
        mirror_changes_class: Whether a mirrored picture may be of another class, as of a digit.
        preparation: What becomes of a photo: ``subject`` cuts out what stands out from a plain
            background, as FashionMNIST's makers did; ``scaled`` scales the whole picture.
        verified: Whether the raw files had the digests that were given for them.
        counts: The examples of each class, by split; empty before they have been counted.
        mean: Of the training pixels of each channel, 0 to 255; empty before.
        deviation: Their standard deviation; empty before.

    Raises:
        DescriptionError: An entry has a value that cannot be used.
    """

    name: str
    classes: tuple[str, ...]
    height: int
    width: int
    channels: int = 1
    digests: Mapping[str, str] = dataclasses.field(default_factory=dict)
    first_label: int = 0
    transposed: bool = False
    mirror_changes_class: bool = False
    preparation: str = "subject"
    verified: bool = False
    counts: Mapping[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Checks every entry; whole floats, as a spec's numbers are, become integers."""
        self._check("name", _is_text(self.name), f"a text of 1 to {NAME_LENGTH} characters")
        is_list = isinstance(self.classes, list | tuple) and all(map(_is_text, self.classes))
        self._check("classes", is_list, LIST)
        self._set("classes", tuple(self.classes))
        fewest, most = CLASSES
        count = len(self.classes)
        if not fewest <= count <= most:
            raise DescriptionError(
                f"dataset has {count} class{'es' * (count != 1)}, expected {fewest} to {most}"
            )
        self._check("classes", len(set(self.classes)) == count, f"{LIST}, each of them once")
        for entry in ("height", "width"):
            self._whole(entry, *SIDES)
        self._whole("channels", *CHANNELS)
        self._check("channels", self.channels in CHANNELS, "1 (grey) or 3 (colour)")
        self._whole("first_label", 0, 2**31 - 1 - count)
        for entry in ("transposed", "mirror_changes_class", "verified"):
            self._check(entry, isinstance(getattr(self, entry), bool), "true or false")
        known = self.preparation in PREPARATIONS
        self._check("preparation", known, f"one of {', '.join(PREPARATIONS)}")
        self._check_digests()
        for entry in ("mean", "deviation"):
            self._set(entry, tuple(getattr(self, entry)))
        self._set("counts", {split: tuple(each) for split, each in self.counts.items()})

    @classmethod
    def of(cls, values: Any, place: str = "dataset") -> Description:
        """The description with these entries, as JSON has them; ``place`` is for errors.

        Raises:
            DescriptionError: An entry is missing, unknown, or has a value that cannot be used.
        """
        if not isinstance(values, Mapping):
            raise DescriptionError(
                f"{place} is not a JSON object with name, classes, height, width"
            )
        fields = {field.name: field for field in dataclasses.fields(cls)}
        for name in values:
            if name not in fields:
                near = difflib.get_close_matches(str(name), fields, n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(fields)}"
                raise DescriptionError(f"{place} has no entry {name!r}; {hint}")
        if missing := [name for name in list(fields)[:4] if name not in values]:
            raise DescriptionError(f"{place} lacks {', '.join(missing)}")
        try:
            return cls(**values)
        except DescriptionError as error:
            raise DescriptionError(f"{place}{str(error).removeprefix('dataset')}") from None

    @classmethod
    def parse(cls, text: str | bytes, place: str) -> Description:
        """The description in the text of a ``dataset.json``; ``place`` is for errors.

        Raises:
            DescriptionError: As ``of``, or it is not JSON.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DescriptionError(f"{place} is not JSON ({error})") from None
        return cls.of(values, place)

    @classmethod
    def read(cls, directory: Path) -> Description:
        """The description of the records or the model in a directory.

        Raises:
            DataError: There is none, or it is damaged.
        """
        path = directory / NAME
        try:
            return cls.parse(path.read_bytes(), str(path))
        except FileNotFoundError:
            raise DataError(
                f"{directory} has no {NAME}, which describes the data; run the step that makes it"
            ) from None
        except DescriptionError as error:
            raise DataError(f"{error}; run the step that makes it again") from None
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error.strerror})") from error

    def write(self, directory: Path) -> None:
        """Writes it as the ``dataset.json`` of a directory; equal descriptions, equal bytes."""
        (directory / NAME).write_text(self.text(), encoding="utf-8")

    def text(self) -> str:
        """The text of its ``dataset.json``."""
        return json.dumps(self.as_dict(), indent=1, ensure_ascii=False) + "\n"

    def as_dict(self) -> dict[str, Any]:
        """Its entries as JSON has them, without those that are empty."""
        values = json.loads(json.dumps(dataclasses.asdict(self)))
        return {name: value for name, value in values.items() if value not in ("", [], {})}

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a picture: [height, width], in colour [height, width, 3]."""
        return (self.height, self.width) + ((self.channels,) if self.channels > 1 else ())

    @property
    def image_bytes(self) -> int:
        """Bytes of a picture: row-major uint8."""
        return self.height * self.width * self.channels

    @property
    def form(self) -> str:
        """The form of its pictures for people: ``28x28``, ``32x32 in colour``."""
        return f"{self.height}x{self.width}" + (" in colour" if self.channels > 1 else "")

    @property
    def labels(self) -> tuple[int, int]:
        """The lowest and the highest label in the raw files."""
        return self.first_label, self.first_label + len(self.classes) - 1

    def _check_digests(self) -> None:
        given = self.digests
        self._check("digests", isinstance(given, Mapping), "a JSON object")
        if given and set(given) != set(FILES):
            wrong = [f"lacks {name}" for name in FILES if name not in given]
            wrong += [f"has {name}" for name in given if name not in FILES]
            raise DescriptionError(
                f"dataset: digests {', '.join(wrong)}; give exactly {', '.join(FILES)}"
            )
        # In one order: the text of a description is its identity.
        chosen = {name: str(given[name]).lower() for name in FILES} if given else {}
        for name, digest in chosen.items():
            if not re.fullmatch("[0-9a-f]{64}", digest):
                raise DescriptionError(
                    f"dataset: digests[{name!r}] is {digest!r}, expected the 64 hexadecimal digits "
                    "of the SHA-256 of the decompressed file"
                )
        self._set("digests", chosen)

    def _whole(self, entry: str, least: int, most: int) -> None:
        value = getattr(self, entry)
        is_whole = isinstance(value, int | float) and not isinstance(value, bool)
        is_whole = is_whole and value == value // 1 and least <= value <= most
        self._check(entry, is_whole, f"a whole number from {least} to {most}")
        self._set(entry, int(value))

    def _check(self, entry: str, is_right: bool, expected: str) -> None:
        if not is_right:
            value = json.dumps(getattr(self, entry), default=str)[:100]
            raise DescriptionError(f"dataset: {entry} is {value}, expected {expected}")

    def _set(self, entry: str, value: Any) -> None:
        object.__setattr__(self, entry, value)


def _is_text(value: Any) -> bool:
    is_text = isinstance(value, str) and bool(value.strip()) and value.isprintable()
    return is_text and len(value) <= NAME_LENGTH
