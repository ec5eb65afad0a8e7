"""What the cache answers with is what the step made, to the last byte."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl

from pipeline.local.cache import StepCache

RAW = "gs://bucket/raw"
OBJECTS = {"raw/images.gz": "AAAA", "raw/labels.gz": "BBBB"}


@pytest.fixture
def objects() -> dict[str, str]:
    """The checksums of the bucket's objects, to be changed as a test likes."""
    return dict(OBJECTS)


@pytest.fixture
def cache(tmp_path: Path, objects: dict[str, str]) -> StepCache:
    return StepCache(tmp_path / "cache", lambda uri: objects if uri == RAW else {})


@pytest.fixture
def outputs(tmp_path: Path) -> dict[str, Any]:
    records = tmp_path / "records"
    (records / "deep").mkdir(parents=True)
    (records / "deep" / "part").write_bytes(b"part" * 1000)
    (tmp_path / "history").write_text("[1, 2]")
    return {
        "records": dsl.Dataset(name="records", uri=str(records), metadata={"examples": 7}),
        "history": dsl.Artifact(name="history", uri=str(tmp_path / "history")),
        "raw": dsl.Dataset(name="raw", uri=RAW),
        "elsewhere": dsl.Model(name="elsewhere", uri="https://host/model"),
        "verdict": True,
    }


def test_what_was_kept_is_answered(cache: StepCache, outputs: dict[str, Any]) -> None:
    cache.put("key", outputs)
    found = cache.get("key")
    assert found
    assert found["verdict"] is True
    assert found["records"].uri == outputs["records"].uri
    assert found["records"].metadata == {"examples": 7}
    assert isinstance(found["records"], dsl.Dataset)
    assert cache.get("other") is None


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["records/deep/part", "history"])
@pytest.mark.parametrize("harm", [flip, Path.unlink])
def test_an_output_that_has_changed_is_no_answer(
    cache: StepCache,
    outputs: dict[str, Any],
    tmp_path: Path,
    name: str,
    harm: Callable[[Path], None],
) -> None:
    cache.put("key", outputs)
    harm(tmp_path / name)
    assert cache.get("key") is None


def test_an_object_of_the_bucket_that_is_gone_or_another_is_no_answer(
    cache: StepCache, outputs: dict[str, Any], objects: dict[str, str]
) -> None:
    cache.put("key", outputs)
    objects["raw/images.gz"] = "CCCC"
    assert cache.get("key") is None
    objects |= OBJECTS
    assert cache.get("key")
    del objects["raw/labels.gz"]
    assert cache.get("key") is None
    objects.clear()
    cache.put("key", outputs)
    assert cache.get("key") is None


def test_without_answers_outputs_replace_the_earlier_ones(
    cache: StepCache, outputs: dict[str, Any], tmp_path: Path, objects: dict[str, str]
) -> None:
    cache.put("key", outputs)
    again = StepCache(tmp_path / "cache", lambda _uri: objects, answers=False)
    assert again.get("key") is None
    again.put("key", {**outputs, "verdict": False})
    found = cache.get("key")
    assert found
    assert found["verdict"] is False
