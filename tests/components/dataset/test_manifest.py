import json
from pathlib import Path

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


NAMES = (7, "../secret", "b/../../secret", "/etc/passwd")
ENTRIES = ("a", {"name": "a"}, *({"name": name, "bytes": 1, "sha256": ""} for name in NAMES))
FORMS: tuple[object, ...] = (
    None,
    [],
    {},
    {"files": None},
    *({"files": [entry]} for entry in ENTRIES),
)


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, "\xff", *map(json.dumps, FORMS)])
def test_a_damaged_manifest_is_refused(output: Path, content: str) -> None:
    (output / MANIFEST).write_bytes(content.encode("latin-1"))
    with pytest.raises(DataError, match=r"is damaged .*; run again with --no-cache"):
        read_manifest(output)


@pytest.mark.parametrize(
    ("name", "size"), [("gone", "missing"), ("b", "missing"), ("a", "1 bytes")]
)
def test_a_file_that_is_missing_or_of_another_size_is_named(
    output: Path, name: str, size: str
) -> None:
    entry = {"name": name, "bytes": 3, "sha256": ""}
    (output / MANIFEST).write_text(json.dumps({"files": [entry]}))
    with pytest.raises(DataError, match=f"'{name}' in .* is {size}, expected 3 bytes"):
        read_manifest(output)
