"""Artifacts by their addresses, from this machine and from a bucket."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.notebook import ArtifactError, artifact
from tests.fakes.storage import FakeBucket, serve_storage


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeBucket]:
    with serve_storage() as fake:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", fake.host)
        yield fake


def test_a_file_of_this_machine_is_read_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "history.json").write_text('{"epochs": []}')
    found = artifact(tmp_path / "history.json", seed=1)
    assert found.path == tmp_path / "history.json"
    assert found.read_json() == {"epochs": []}
    assert found.metadata == {"seed": 1}
    with pytest.raises(ArtifactError, match="is not a JSON file"):
        artifact(tmp_path).read_json()
    with pytest.raises(ArtifactError, match=r"gone.* is gone; make it again with rerun"):
        _ = artifact(tmp_path / "gone").path
    assert artifact(f"file://{tmp_path}/history.json").path == found.path
    with pytest.raises(ArtifactError, match=r"starts with s3:// .* gs://BUCKET"):
        artifact("s3://bucket/model")


def test_a_folder_of_a_bucket_is_copied_once(fake: FakeBucket, root: Path) -> None:
    fake.put("job/model/saved_model.pb", b"graph")
    fake.put("job/model/variables/index", b"index")
    fake.put("job/model-2/saved_model.pb", b"another")
    found = artifact("gs://bucket/job/model")
    assert found.path == root / "artifacts/bucket/job/model"
    assert (found.path / "saved_model.pb").read_bytes() == b"graph"
    assert (found.path / "variables/index").read_bytes() == b"index"
    assert len(list(found.path.rglob("*"))) == 3
    downloads = list(fake.downloads)
    assert artifact("gs://bucket/job/model/").path == found.path
    assert fake.downloads == downloads
    fake.put("job/history", b'{"epochs": [1]}')
    assert artifact("gs://bucket/job/history").read_json() == {"epochs": [1]}


def test_a_download_that_fails_is_one_line_and_leaves_nothing(fake: FakeBucket, root: Path) -> None:
    with pytest.raises(ArtifactError, match="nothing at gs://bucket/job/gone; give the address"):
        _ = artifact("gs://bucket/job/gone").path
    for name in ("a", "b"):
        fake.put(f"job/model/{name}", b"")
    del fake.objects["job/model/b"]
    with pytest.raises(ArtifactError, match="gs://bucket/job/model/b is gone"):
        _ = artifact("gs://bucket/job/model").path
    assert not list((root / "artifacts").rglob("*model*"))
    assert not list(root.rglob(".incoming-*"))
