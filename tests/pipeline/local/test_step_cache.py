"""What the cache answers with is what the step made, to the last byte."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl

from pipeline.local.step_cache import StepCache

RAW = "gs://bucket/raw"


class Bucket:
    def __init__(self) -> None:
        self.objects = {"raw/images.gz": "AAAA", "raw/labels.gz": "BBBB"}

    def checksums(self, uri: str) -> dict[str, str]:
        assert uri == RAW
        return dict(self.objects)


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def cache(tmp_path: Path, bucket: Bucket) -> StepCache:
    return StepCache(tmp_path / "cache", bucket.checksums)


@pytest.fixture
def outputs(tmp_path: Path) -> dict[str, Any]:
    records = tmp_path / "records"
    (records / "deep").mkdir(parents=True)
    (records / "deep" / "part").write_bytes(b"part" * 1000)
    (records / "manifest.json").write_text("{}")
    (tmp_path / "history").write_text("[1, 2]")
    return {
        "records": dsl.Dataset(name="records", uri=str(records), metadata={"examples": 7}),
        "history": dsl.Artifact(name="history", uri=str(tmp_path / "history")),
        "raw": dsl.Dataset(name="raw", uri=RAW),
        "verdict": True,
    }


def entry(tmp_path: Path) -> Path:
    (path,) = (tmp_path / "cache").iterdir()
    return path


def test_what_was_kept_is_answered(cache: StepCache, outputs: dict[str, Any]) -> None:
    cache.put("key", outputs)
    found = cache.get("key")
    assert found
    assert found["verdict"] is True
    assert found["records"].uri == outputs["records"].uri
    assert found["records"].metadata == {"examples": 7}
    assert isinstance(found["records"], dsl.Dataset)
    assert cache.get("other") is None


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["records/deep/part", "records/manifest.json", "history"])
@pytest.mark.parametrize("harm", [truncate, flip, Path.unlink])
def test_an_output_that_is_not_what_it_was_is_no_answer(
    cache: StepCache,
    outputs: dict[str, Any],
    tmp_path: Path,
    name: str,
    harm: Callable[[Path], None],
) -> None:
    cache.put("key", outputs)
    harm(tmp_path / name)
    assert cache.get("key") is None


def test_a_file_too_many_is_no_answer(
    cache: StepCache, outputs: dict[str, Any], tmp_path: Path
) -> None:
    cache.put("key", outputs)
    (tmp_path / "records" / "more").touch()
    assert cache.get("key") is None


def test_an_object_of_the_bucket_that_is_gone_or_another_is_no_answer(
    cache: StepCache, outputs: dict[str, Any], bucket: Bucket
) -> None:
    cache.put("key", outputs)
    bucket.objects["raw/images.gz"] = "CCCC"
    assert cache.get("key") is None
    bucket.objects["raw/images.gz"] = "AAAA"
    assert cache.get("key")
    del bucket.objects["raw/labels.gz"]
    assert cache.get("key") is None


@pytest.mark.parametrize("content", [b"", b"{}", b"\0" * 500, b"\xff\n{}", b"\n"])
def test_a_damaged_entry_is_no_answer(
    cache: StepCache, outputs: dict[str, Any], tmp_path: Path, content: bytes
) -> None:
    cache.put("key", outputs)
    entry(tmp_path).write_bytes(content)
    assert cache.get("key") is None
    cache.put("key", outputs)
    assert cache.get("key")


def test_an_entry_that_lost_its_end_is_no_answer(
    cache: StepCache, outputs: dict[str, Any], tmp_path: Path
) -> None:
    cache.put("key", outputs)
    whole = entry(tmp_path).read_bytes()
    for size in range(0, len(whole), 50):
        entry(tmp_path).write_bytes(whole[:size])
        assert cache.get("key") is None


def test_without_answers_a_step_is_kept_over_what_was_there(
    cache: StepCache, outputs: dict[str, Any], tmp_path: Path, bucket: Bucket
) -> None:
    cache.put("key", outputs)
    anew = StepCache(tmp_path / "cache", bucket.checksums, answers=False)
    assert anew.get("key") is None
    anew.put("key", {**outputs, "verdict": False})
    found = cache.get("key")
    assert found
    assert found["verdict"] is False


def test_a_step_whose_output_is_missing_leaves_nothing_to_answer_with(
    cache: StepCache, outputs: dict[str, Any], tmp_path: Path
) -> None:
    cache.put("key", outputs)
    shutil.rmtree(tmp_path / "records")
    cache.put("key", outputs)
    assert not list((tmp_path / "cache").iterdir())


def test_addresses_elsewhere_are_trusted(cache: StepCache, tmp_path: Path) -> None:
    cache.put("key", {"model": dsl.Model(name="model", uri="https://host/model")})
    assert cache.get("key")
    assert (
        "https://host/model" in json.loads(entry(tmp_path).read_text().split("\n")[1])["contents"]
    )


def test_a_bucket_without_the_objects_is_nothing_to_answer_with(
    cache: StepCache, outputs: dict[str, Any], bucket: Bucket
) -> None:
    bucket.objects.clear()
    cache.put("key", outputs)
    assert cache.get("key") is None
