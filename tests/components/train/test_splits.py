from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from components.dataset.errors import DataError
from components.train.trainer.input_pipeline import Streamed
from components.train.trainer.splits import Split, read_examples

from .conftest import make_examples


def test_what_was_written_is_read(train: Split) -> None:
    images, labels = make_examples(320)
    read = read_examples(train.files)
    np.testing.assert_array_equal(read.images, np.concatenate([images[0::2], images[1::2]]))
    np.testing.assert_array_equal(read.labels, np.concatenate([labels[0::2], labels[1::2]]))
    assert [str(array.dtype) for array in read] == ["uint8", "int64"]


def test_a_directory_without_a_manifest_or_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="unfinished"):
        Split.of_directory(tmp_path)
    (tmp_path / "manifest.json").write_text('{"files": []}')
    with pytest.raises(DataError, match=r"no \.tfrecord"):
        Split.of_directory(tmp_path)


@pytest.mark.parametrize(
    "harm", [lambda content: content[:-10], lambda _: b"<html>" * 9, lambda _: b""]
)
def test_a_damaged_or_empty_file_is_named(
    harm: Callable[[bytes], bytes], train: Split, tmp_path: Path
) -> None:
    path = tmp_path / "harmed.tfrecord"
    path.write_bytes(harm(train.files[0].read_bytes()))
    with pytest.raises(DataError, match=r"harmed\.tfrecord"):
        read_examples([path])
    if path.stat().st_size:
        with pytest.raises(DataError, match=r"harmed\.tfrecord"):
            Streamed([train.files[1], path])
