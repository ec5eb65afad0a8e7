"""Whatever bytes come from outside, each parser answers or raises a documented error."""

import contextlib
import gzip
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from components.dataset import idx, manifest, records
from components.dataset.errors import StepError
from components.ingest.fetch import inspect
from components.train.trainer.preparation import prepare
from pipeline.errors import UsageError
from pipeline.runs.registry import Registry
from pipeline.runs.verification import verify
from serving.photos import FORMATS, PhotoError, readable
from tests.idx_files import (
    FASHION,
    images_payload,
    labels_payload,
    shuffled_labels,
    synthetic_images,
)
from tests.photographs import SIZE_FIELDS, bomb, encoded
from tests.soak import FUZZ_EXAMPLES, SHORT_FUZZ_EXAMPLES, long

CHUNK = 16
"""Examples at a time, so that a chunk's memory does not hide what else a parser needs."""
CONSTANT = 1_500_000
"""Bytes that a parser of a stream may need besides the file's own."""
SEE = tf.function(
    lambda content: prepare(content, FASHION), input_signature=[tf.TensorSpec([], tf.string)]
)
LABELS = shuffled_labels(3)
IMAGES = synthetic_images(LABELS)
ENTRY = {"name": "a", "bytes": 1, "sha256": "0" * 64}


def images(path: Path) -> None:
    with path.open("rb") as file:
        for _ in idx.Examples(file, "a", idx.IMAGES, FASHION).chunks(CHUNK):
            pass


def labels(path: Path) -> None:
    with path.open("rb") as file:
        for _ in idx.Examples(file, "a", idx.LABELS, FASHION).chunks(CHUNK):
            pass


def ingested(path: Path) -> None:
    inspect(path, "train-labels-idx1-ubyte")


def shard(path: Path) -> None:
    for _ in records.read_records(path, FASHION, CHUNK):
        pass


def manifest_file(path: Path) -> None:
    path.with_name("a").write_bytes(b"1")
    path.rename(path.with_name(manifest.MANIFEST))
    verify(path.parent)
    manifest.content_digest(manifest.read_manifest(path.parent))


def version_file(path: Path) -> None:
    folder = path.parent / "registry" / "model" / "1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    path.rename(folder / "version.json")
    verify(Registry(path.parent / "registry").resolve("model", "1").path)


def photo(path: Path) -> None:
    try:
        content = readable(path.read_bytes())
    except PhotoError as error:
        assert str(error).isprintable()
        raise
    with contextlib.suppress(tf.errors.InvalidArgumentError):
        assert SEE(content).shape == (28, 28)


def as_json(content: object) -> bytes:
    return json.dumps(content).encode()


def photographs() -> list[bytes]:
    image = Image.new("RGB", (40, 30), "white")
    image.paste((20, 60, 120), (10, 5, 25, 25))
    sound = [encoded(image, kind) for kind in FORMATS]
    sound += [encoded(image.convert(mode), "PNG") for mode in ("P", "RGBA", "1")]
    return sound + [bomb(kind, 60_000, 8192) for kind in SIZE_FIELDS]


IDX = [images_payload(IMAGES), labels_payload(LABELS)]
PACKED = [gzip.compress(each, 1, mtime=0) for each in IDX]
SHARD = records.frame_records(IMAGES[:4], LABELS[:4], FASHION).tobytes()
FACTS = {
    "aliases": ["default"],
    "digests": {"model": "0"},
    "metrics": {"accuracy": 0.9},
    "created": "2026-11-24",
}
TARGETS: dict[str, tuple[Callable[[Path], None], list[bytes]]] = {
    "images": (images, [*IDX, *PACKED]),
    "labels": (labels, [*IDX, *PACKED]),
    "ingest": (ingested, [*IDX, *PACKED]),
    "records": (shard, [SHARD]),
    "manifest": (manifest_file, [as_json({"files": [ENTRY], "parameters": {}, "data": None})]),
    "version": (version_file, [as_json(FACTS), as_json(FACTS | {"created": 1, "metrics": []})]),
    "photo": (photo, photographs()),
}
"""Each parser, with files to damage."""
STREAMED = ("images", "labels", "ingest", "records")
WORST = (
    *(b"", b"\0", b"\xff\xfe", b"NaN", b"1e999", b"9" * 5000, b"null", b"[]", b"<!DOCTYPE html>"),
    *(b"[" * 100_000, b'{"a":' * 100_000, b"\x1f\x8b", b"\x1f", gzip.compress(b"")),
)


@st.composite
def damaged(draw: st.DrawFn, sound: list[bytes]) -> bytes:
    """A sound file with some bytes changed, cut off, put in or repeated."""
    content = bytearray(draw(st.sampled_from(sound)))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(content)))
        match draw(st.sampled_from(["change", "cut", "insert", "repeat"])):
            case "change":
                content[place : place + 1] = draw(st.binary(min_size=1, max_size=4))
            case "cut":
                del content[place:]
            case "insert":
                content[place:place] = draw(st.binary(max_size=9))
            case _:
                content[place:place] = content[place : place + 100]
    return bytes(content)


@pytest.mark.parametrize("examples", [SHORT_FUZZ_EXAMPLES, long(FUZZ_EXAMPLES)])
@pytest.mark.parametrize("name", TARGETS)
def test_any_bytes_are_an_answer_or_a_documented_error_in_bounded_memory(
    name: str, examples: int, tmp_path: Path
) -> None:
    parse, sound = TARGETS[name]
    inputs = damaged(sound) | st.binary(max_size=64) | st.sampled_from(WORST)
    path = tmp_path / "file"

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=examples == SHORT_FUZZ_EXAMPLES,
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs)
    def feed(content: bytes) -> None:
        path.write_bytes(content)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        with contextlib.suppress(StepError, UsageError, PhotoError):
            parse(path)
        peak = tracemalloc.get_traced_memory()[1] - before
        assert name not in STREAMED or peak < CONSTANT + 2 * len(content)

    tracemalloc.start()
    try:
        feed()
    finally:
        tracemalloc.stop()
