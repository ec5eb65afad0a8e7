import dataclasses
from pathlib import Path
from typing import Any

import pytest

from components.dataset.description import Description, DescriptionError
from components.dataset.errors import DataError
from components.dataset.facts import FILES

DIGESTS = dict.fromkeys(FILES, "0" * 64)
ENTRIES: dict[str, Any] = {"name": "letters", "classes": ["a", "b"], "height": 12, "width": 20}


def test_a_description_is_written_and_read_as_the_same_bytes(tmp_path: Path) -> None:
    about = Description.of({**ENTRIES, "height": 12.0, "channels": 3.0, "digests": DIGESTS})
    about = dataclasses.replace(about, counts={"train": (3, 4)}, mean=(1.5,), deviation=(2.5,))
    about.write(tmp_path)
    read = Description.read(tmp_path)
    assert read == about
    assert read.text() == (tmp_path / "dataset.json").read_text()
    assert (read.shape, read.image_bytes, read.form) == ((12, 20, 3), 720, "12x20 in colour")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hight": 12}, "dataset has no entry 'hight'; did you mean height"),
        ({"name": ""}, 'name is "", expected a text'),
        ({"classes": ["a", "b" * 200]}, "expected a list of names"),
        ({"classes": "ab"}, 'classes is "ab", expected a list of names'),
        ({"classes": ["a", "a"]}, "each of them once"),
        ({"classes": ["a"]}, "dataset has 1 class, expected 2 to 256"),
        ({"classes": [f"c{n}" for n in range(300)]}, "300 classes, expected 2 to 256"),
        ({"height": 7}, "height is 7, expected a whole number from 8 to 256"),
        ({"width": 28.5}, "width is 28.5, expected a whole number"),
        ({"channels": 2}, r"channels is 2, expected 1 \(grey\) or 3"),
        ({"transposed": 1}, "transposed is 1, expected true or false"),
        ({"preparation": "cut"}, 'preparation is "cut", expected one of subject, scaled'),
        (
            {"digests": {"images": "0"}},
            "digests lacks train-images.*, has images; give exactly",
        ),
        ({"digests": {**DIGESTS, FILES[0]: "no"}}, "is 'no', expected the 64 hexadecimal digits"),
    ],
)
def test_what_cannot_be_is_refused_by_its_entry(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DescriptionError, match=said):
        Description.of({**ENTRIES, **changes})


def test_what_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match=r"^photos/dataset.json lacks classes, width$"):
        Description.parse('{"name": "a", "height": 28}', "photos/dataset.json")
    with pytest.raises(DataError, match=r"has no dataset.json, which describes the data"):
        Description.read(tmp_path)
    (tmp_path / "dataset.json").write_text("<html>")
    with pytest.raises(DataError, match=r"dataset.json .*is not JSON"):
        Description.read(tmp_path)
