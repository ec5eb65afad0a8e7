from pathlib import Path

import pytest

from components.dataset import raw
from components.dataset.errors import DataError
from tests.idx_files import write_idx_set


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(raw, "SYSTEM_DIRECTORY", str(tmp_path / "system"))
    monkeypatch.setattr(raw, "CHECKOUT", tmp_path / "checkout")
    monkeypatch.delenv(raw.DATA_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_variable_stands_for_the_data_directories(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = [tmp_path / "system", tmp_path / "data", tmp_path / "checkout" / "data"]
    assert raw.directories() == here
    monkeypatch.setenv(raw.DATA_VARIABLE, "/elsewhere")
    assert raw.directories() == [tmp_path / "system", Path("/elsewhere")]


def test_the_first_directory_with_all_four_files_is_found(tmp_path: Path) -> None:
    write_idx_set(tmp_path / "data", 2, 1)
    write_idx_set(tmp_path / "checkout" / "data", 2, 1)
    assert raw.find_raw() == tmp_path / "data"
    next((tmp_path / "data").iterdir()).unlink()
    assert raw.find_raw() == tmp_path / "checkout" / "data"


def test_without_the_files_the_error_says_where_they_were_looked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"in none of {tmp_path}/system, .*dataset-fashion-mnist"):
        raw.find_raw()
