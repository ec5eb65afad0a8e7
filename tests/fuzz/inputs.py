"""What the parsers are fed with: sound input, sound input that was damaged, and worse."""

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from components.dataset.facts import FILES
from components.dataset.records import frame_records
from components.train.trainer.util import Hyperparameters
from pipeline.compiler import COMPILED, PIPELINE
from pipeline.specs import spec as specs
from tests.fuzz import archives
from tests.fuzz.photos import PHOTOS
from tests.idx_files import IMAGES_MAGIC, LABELS_MAGIC, header, synthetic_images

Bytes = SearchStrategy[bytes]

COUNTS: Final = st.sampled_from([0, 1, 2, 17, 33, 2**16, 2**31, 2**32 - 1])
PARAMETERS: Final = sorted(
    specs.load(COMPILED / PIPELINE)["root"]["inputDefinitions"]["parameters"]
)
ESCAPING: Final = (
    *("../a", "/etc/passwd", "b/../../a", "..", ".", "", "a/", "//a", "b//c", "./a", "a\0"),
    *("\ud800", "b/c", "a" * 300, "b\\..\\a", "a\n"),
)
DEEP: Final = 100_000
"""Levels of nesting at which a parser that calls itself is at its end."""
WORST: Final = (
    *(b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf{}", b"NaN", b"-Infinity", b"1e999", b"9" * 5000),
    *(b"[" * DEEP, b'{"a":' * DEEP, b"[" * DEEP + b"]" * DEEP, b"- " * DEEP, b"null", b"[]"),
    *(b'{"a": 1, "a": 2}', b"<!DOCTYPE html>", b"\x1f\x8b", b"\x1f", gzip.compress(b"")),
)
YAML: Final = (
    b"!!python/object/apply:os.system [id]",
    b"a: &a [*a]",
    b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]",
    b"? {a: 1}\n: 2",
    b"2001-99-99: 1",
    *(b"<<: 1", b"a: !!binary '='", b"--- a\n--- b"),
    *(b"a: !!int ''", b"a: !!timestamp ''"),
    b"root: 1\npipelineInfo: 2\ndeploymentSpec: 3",
    b"root: {}\npipelineInfo: {}\ndeploymentSpec: {}",
)
TEXTS: Final = st.text(max_size=12) | st.sampled_from(
    [
        "9" * 5000,
        "1e400",
        "nan",
        "-1",
        "2**3",
        "0x10",
        "٣",
        "²",
        "true",
        "[1]",
        "{}",
        "\ud800",
        "a=b",
    ]
)


@st.composite
def _damaged(draw: st.DrawFn, sound: Bytes) -> bytes:
    content = bytearray(draw(sound))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(content)))
        match draw(st.sampled_from(["change", "cut", "insert", "repeat"])):
            case "change":
                content[place : place + 1] = draw(st.binary(min_size=1, max_size=1))
            case "cut":
                del content[place:]
            case "insert":
                content[place:place] = draw(st.binary(max_size=9))
            case _:
                content[place:place] = content[place : place + 100]
    return bytes(content)


def _plain(content: bytes) -> bytes:
    return content


def _deflated(content: bytes) -> bytes:
    return zlib.compress(content)


def _in_members(content: bytes) -> bytes:
    return gzip.compress(content[:9], mtime=0) + gzip.compress(content[9:], mtime=0)


def _gzipped(content: bytes) -> bytes:
    return gzip.compress(content, 1, mtime=0)


PACKERS: Final[SearchStrategy[Callable[[bytes], bytes]]] = st.sampled_from(
    [_plain, _gzipped, _in_members, _deflated]
)


@st.composite
def _idx(draw: st.DrawFn, magic: int, size: int) -> bytes:
    examples = draw(st.integers(0, 40))
    promised = draw(st.just(examples) | COUNTS)
    dimensions = (28, 28) if size > 1 else ()
    numbers = draw(st.just(dimensions) | st.lists(COUNTS, max_size=3))
    kind = draw(st.just(magic) | st.sampled_from([IMAGES_MAGIC, LABELS_MAGIC, 0]))
    body = bytes([draw(st.integers(0, 11))]) * (examples * size)
    return draw(PACKERS)(header(kind, promised, *numbers) + body)


def _shards() -> Bytes:
    labels = st.lists(st.integers(0, 9), max_size=4).map(lambda each: np.array(each, np.uint8))
    return labels.map(lambda each: frame_records(synthetic_images(each), each).tobytes())


def _json(values: SearchStrategy[Any]) -> Bytes:
    return values.map(lambda value: json.dumps(value).encode())


VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)


def _objects(**fields: SearchStrategy[Any]) -> Bytes:
    """JSON objects with some of the fields, each sound or of any value."""
    each = {name: values | VALUES for name, values in fields.items()}
    return _json(st.fixed_dictionaries({}, optional=each))


def _entry() -> SearchStrategy[Any]:
    fields = {
        "name": st.sampled_from(["a", "b/c", *ESCAPING]) | VALUES,
        "bytes": st.integers(0, 3) | VALUES,
        "sha256": st.just("0" * 64) | VALUES,
    }
    return st.fixed_dictionaries(fields) | VALUES


def _manifests() -> Bytes:
    facts = {"parameters": VALUES, "versions": VALUES, "data": VALUES, "code_digest": TEXTS}
    return _objects(files=st.lists(_entry(), max_size=3), **facts)


def _parts(**fields: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Objects with the fields, of which one may be of any value or missing."""
    whole = st.fixed_dictionaries(dict(fields))
    return whole | whole | st.fixed_dictionaries({}, optional=dict(fields)) | VALUES


def _specs() -> Bytes:
    """Compiled specs of two steps, one of them within a condition."""
    names = st.sampled_from(["a", "b"])
    references = names.map(lambda name: {"name": name})
    task = _parts(
        componentRef=references, taskInfo=references, dependentTasks=st.lists(names, max_size=2)
    )
    dag = _parts(tasks=st.dictionaries(names, task, max_size=2))
    kinds = st.sampled_from(["STRING", "NUMBER_INTEGER", "LIST"]) | TEXTS
    parameter = st.fixed_dictionaries(
        {"parameterType": kinds},
        optional={"isOptional": st.just(True) | VALUES, "defaultValue": VALUES},
    )
    container = _parts(image=TEXTS, command=st.just(["sh", "-c"]), args=st.lists(TEXTS))
    steps = st.just({"executorLabel": "e"})
    spec = _parts(
        pipelineInfo=st.sampled_from([{"name": "p"}, {"name": "../p"}]),
        root=_parts(
            dag=dag,
            inputDefinitions=_parts(parameters=st.dictionaries(TEXTS, parameter, max_size=2)),
        ),
        deploymentSpec=_parts(executors=_parts(e=_parts(container=container))),
        components=st.fixed_dictionaries({"a": steps, "b": steps | _parts(dag=dag)}),
    )
    return _json(spec)


def _assignments() -> Bytes:
    names = st.sampled_from(PARAMETERS) | TEXTS
    digests = st.dictionaries(st.sampled_from(FILES) | TEXTS, st.just("a" * 64) | TEXTS)
    values = TEXTS | VALUES.map(json.dumps) | digests.map(json.dumps)
    return st.tuples(names, values).map(lambda pair: _argument("=".join(pair)))


def _argument(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _hyperparameters() -> Bytes:
    known = Hyperparameters().as_dict()
    return _objects(**{name: st.just(value) for name, value in known.items()})


IMAGES: Final = _idx(IMAGES_MAGIC, 784)
LABELS: Final = _idx(LABELS_MAGIC, 1)
_SOUND: Final[Mapping[str, Bytes]] = {
    "images": IMAGES,
    "labels": LABELS,
    "ingested": LABELS,
    "gzip": IMAGES | LABELS,
    "records": _shards(),
    "trainer-records": _shards(),
    "manifest": _manifests(),
    "version": _objects(
        digests=st.fixed_dictionaries({"model": TEXTS}),
        metrics=st.dictionaries(st.just("accuracy"), st.floats() | st.integers()),
        created=st.sampled_from(["2026-11-24T23:41:43+00:00", "2026-11-24", "0001-01-01T00:00Z"]),
        run=TEXTS,
    ),
    "aliases": _objects(default=st.just(1), other=st.integers()),
    "evaluation": _json(VALUES),
    "spec": _specs() | archives.SPECS | _json(VALUES) | st.sampled_from(YAML),
    "parameter": _assignments(),
    "preset": TEXTS.map(_argument),
    "hyperparameters": _hyperparameters(),
    "photo": PHOTOS,
}
INPUTS: Final[Mapping[str, Bytes]] = {
    name: _damaged(sound) | st.binary(max_size=64) for name, sound in _SOUND.items()
}
"""What each target is fed with."""
