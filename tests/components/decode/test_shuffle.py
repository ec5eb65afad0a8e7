import io

import numpy as np
import pytest

from components.decode.shuffle import permute


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
