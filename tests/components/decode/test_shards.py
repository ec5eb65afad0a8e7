import io
from pathlib import Path

import numpy as np
import pytest

from components.dataset.errors import ParameterError
from components.decode.shards import permute, plan_shards, write_shards


@pytest.mark.parametrize(("examples", "shards"), [(100, 8), (8, 8), (7, 3), (1, 1)])
def test_shards_differ_by_one_at_most_and_none_is_empty(examples: int, shards: int) -> None:
    sizes = [count for _, count in plan_shards(Path(), "train", examples, shards)]
    assert (sum(sizes), len(sizes)) == (examples, shards)
    assert max(sizes) - min(sizes) <= 1
    assert min(sizes) >= 1


def test_fewer_examples_than_shards_leave_the_last_ones_empty() -> None:
    assert [count for _, count in plan_shards(Path(), "test", 2, 4)] == [1, 1, 0, 0]


def test_names_sort_in_the_order_of_the_records() -> None:
    names = [path.name for path, _ in plan_shards(Path(), "train", 100, 12)]
    assert names[0] == "train-00000-of-00012.tfrecord"
    assert names == sorted(names)


@pytest.mark.parametrize("shards", [0, -1, 100_000])
def test_an_impossible_number_of_shards_is_refused(shards: int) -> None:
    with pytest.raises(ParameterError, match=f"shards is {shards}, expected 1 to 99999"):
        plan_shards(Path(), "train", 10, shards)


@pytest.mark.parametrize("block", [1, 3, 10, 50])
def test_blocks_are_cut_where_shards_begin(tmp_path: Path, block: int) -> None:
    rows = np.arange(50, dtype=np.uint8).reshape(25, 2)
    shards = plan_shards(tmp_path, "train", 25, 4)
    write_shards((rows[start : start + block] for start in range(0, 25, block)), shards)
    assert [path.stat().st_size for path, _ in shards] == [14, 12, 12, 12]
    assert b"".join(path.read_bytes() for path, _ in shards) == rows.tobytes()


@pytest.mark.parametrize("records", [9, 11])
def test_another_number_of_records_than_planned_is_an_error(tmp_path: Path, records: int) -> None:
    rows = np.zeros((records, 2), np.uint8)
    with pytest.raises(ValueError, match="records"):
        write_shards([rows], plan_shards(tmp_path, "train", 10, 2))


@pytest.mark.parametrize(("chunk", "block"), [(1, 1), (7, 5), (5, 7), (100, 100), (1000, 3)])
def test_every_row_arrives_at_its_place(chunk: int, block: int) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (100, 13), dtype=np.uint8)
    positions = np.random.default_rng(1).permutation(100).astype(np.uint32)
    expected = np.empty_like(rows)
    expected[positions] = rows
    chunks = (rows[start : start + chunk] for start in range(0, 100, chunk))
    blocks = list(permute(chunks, positions, io.BytesIO(), block))
    assert {len(part) for part in blocks[:-1]} <= {block}
    np.testing.assert_array_equal(np.concatenate(blocks), expected)
