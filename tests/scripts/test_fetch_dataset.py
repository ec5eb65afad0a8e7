"""The set-up gets the data from a mirror, all of it or none."""

import gzip
import hashlib
from pathlib import Path

import pytest

from components.dataset.errors import SourceError
from scripts.fetch_dataset import land
from tests.fakes.mirror import serve_mirror
from tests.idx_files import described, idx_payloads

PAYLOADS = idx_payloads(train_per_class=6, test_per_class=2)
FILES = {f"{name}.gz": gzip.compress(payload) for name, payload in PAYLOADS.items()}
DIGESTS = {name: hashlib.sha256(payload).hexdigest() for name, payload in PAYLOADS.items()}


def test_the_four_files_land_verified(tmp_path: Path) -> None:
    with serve_mirror(FILES) as mirror:
        land([mirror.url], described(DIGESTS), tmp_path / "data")
    assert {path.name for path in (tmp_path / "data").iterdir()} == set(FILES)
    for name, payload in PAYLOADS.items():
        assert gzip.decompress((tmp_path / "data" / f"{name}.gz").read_bytes()) == payload


def test_where_one_file_is_another_none_lands(tmp_path: Path) -> None:
    name = next(reversed(DIGESTS))
    with serve_mirror(FILES) as mirror, pytest.raises(SourceError, match=f"{name}.gz could not"):
        land([mirror.url], described({**DIGESTS, name: "0" * 64}), tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []
