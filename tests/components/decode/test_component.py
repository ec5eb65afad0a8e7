from pathlib import Path

from kfp.dsl import Dataset

from components.decode.component import decode
from tests.idx_files import write_idx_set


def test_the_component_writes_three_splits_and_their_metadata(tmp_path: Path) -> None:
    write_idx_set(tmp_path / "raw", 20, 5)
    outputs = {
        name: Dataset(uri=str(tmp_path / name))
        for name in ("train_records", "validation_records", "test_records")
    }
    decode.python_func(
        raw=Dataset(uri=str(tmp_path / "raw")), shards=2, validation_examples=20, **outputs
    )
    assert [output.metadata["examples"] for output in outputs.values()] == [180, 20, 50]
    for name, output in outputs.items():
        assert len(list(Path(output.path).glob("*.tfrecord"))) == output.metadata["shards"] == 2
        assert (tmp_path / name / "manifest.json").exists()
