import json
from pathlib import Path
from typing import Any

import pytest

from components.dataset.errors import DataError
from components.dataset.manifest import MANIFEST, content_digest, read_manifest, write_manifest


@pytest.fixture
def output(tmp_path: Path) -> Path:
    directory = tmp_path / "output"
    (directory / "b").mkdir(parents=True)
    (directory / "a").write_bytes(b"1")
    (directory / "b" / "c").write_bytes(b"22")
    return directory


def write_entry(directory: Path, name: object) -> None:
    entry = {"name": name, "bytes": 1, "sha256": ""}
    (directory / MANIFEST).write_text(json.dumps({"files": [entry]}))


def test_what_was_written_is_read_with_its_facts(output: Path) -> None:
    written = write_manifest(output, seed=3)
    assert read_manifest(output) == written
    assert [entry["name"] for entry in written["files"]] == ["a", "b/c"]
    assert written["seed"] == 3


def test_the_digest_depends_on_names_and_content_alone(output: Path) -> None:
    digest = content_digest(write_manifest(output, seed=3))
    assert content_digest(write_manifest(output, seed=4)) == digest
    (output / "fingerprint.pb").write_bytes(b"any")
    assert content_digest(write_manifest(output)) == digest
    (output / "a").rename(output / "d")
    assert content_digest(write_manifest(output)) != digest


OUTSIDE = ("../secret", "b/../../secret", "/etc/passwd", "..", ".", "", "b//c", "b/", "./a")


@pytest.mark.parametrize("name", [*OUTSIDE, None, 7, ["a"]])
def test_a_name_outside_of_the_directory_is_refused(output: Path, name: object) -> None:
    (output.parent / "secret").write_bytes(b"1")
    write_entry(output, name)
    with pytest.raises(DataError, match="name inside the directory"):
        read_manifest(output)


@pytest.mark.parametrize("name", ["gone", "b", "a\0", "\ud800", "x" * 300, "a/c"])
def test_a_file_that_does_not_exist_is_missing(output: Path, name: str) -> None:
    write_entry(output, name)
    with pytest.raises(DataError, match="is missing, expected 1 bytes"):
        read_manifest(output)


ENTRIES = ("a", {"name": "a"}, {"name": "a", "bytes": "1", "sha256": ""})
FORMS: tuple[Any, ...] = (
    None,
    [],
    {},
    {"files": None},
    {"files": {}},
    *({"files": [entry]} for entry in ENTRIES),
)


@pytest.mark.parametrize("content", FORMS)
def test_another_form_is_refused(output: Path, content: Any) -> None:
    (output / MANIFEST).write_text(json.dumps(content))
    with pytest.raises(DataError, match="run again with --no-cache"):
        read_manifest(output)


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, "\xff"])
def test_what_is_not_json_is_refused(output: Path, content: str) -> None:
    (output / MANIFEST).write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError, match="is not JSON"):
        read_manifest(output)


def test_another_size_is_named(output: Path) -> None:
    write_manifest(output)
    (output / "a").write_bytes(b"123")
    with pytest.raises(DataError, match=r"'a' in .* is 3 bytes, expected 1 bytes"):
        read_manifest(output)
