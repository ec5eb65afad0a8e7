import json
from pathlib import Path

from kfp.dsl import Artifact, Dataset

from components.ingest.component import ingest
from tests.fakes.storage import FakeBucket
from tests.idx_files import write_idx_set


def test_the_component_points_raw_at_the_bucket_and_writes_the_landing_report(
    fake: FakeBucket, tmp_path: Path
) -> None:
    digests = write_idx_set(tmp_path / "set", 4, 2)
    raw, report = Dataset(uri="unset"), Artifact(uri=str(tmp_path / "landing"))
    ingest.python_func(
        bucket_uri="gs://bucket/home",
        raw=raw,
        landing=report,
        source=str(tmp_path / "set"),
        digests=digests,
    )
    assert raw.uri.startswith("gs://bucket/home/raw/")
    assert raw.metadata["examples"] == {"train": 40, "test": 20}
    assert json.loads((tmp_path / "landing").read_text())["directory"] == raw.uri
    assert report.metadata == {}
