"""The parsers of input as functions of bytes, for Hypothesis and for any other fuzzer.

A target returns nothing. Whatever its input, it raises nothing: an error that the parser documents
is the right answer to wrong input, any other exception is a bug and passes through.

Hypothesis feeds them in ``test_parsers.py``. A fuzzer that starts a process for each input, as AFL
does, gives it on standard input::

    python -m tests.fuzz TARGET < input

and one that calls a function takes it from the table, as Atheris::

    import atheris
    with atheris.instrument_imports():
        from tests.fuzz.targets import TARGETS
    atheris.Setup(sys.argv, TARGETS["images"])
    atheris.Fuzz()
"""

import contextlib
import functools
import io
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from components.dataset import idx, manifest, records
from components.dataset.errors import StepError
from components.dataset.payload import Payload
from components.ingest.digests import expected_digests
from components.ingest.fetch import inspect
from components.train.trainer.util import Hyperparameters
from components.upload import provenance
from pipeline.cli import models_command
from pipeline.compiler import COMPILED, PIPELINE
from pipeline.errors import UsageError
from pipeline.local.localization import localize
from pipeline.photos.decoding import PhotoError
from pipeline.photos.preparation import seen_by_network
from pipeline.runs.registry import Registry
from pipeline.runs.verification import verify
from pipeline.specs import parameters
from pipeline.specs import spec as specs

Target = Callable[[bytes], None]
CHUNK: Final = 16
"""Examples at a time, so that what a chunk takes does not hide what a parser takes beside it."""
MODEL: Final = "fashion-mnist"

_SCRATCH: Final = tempfile.TemporaryDirectory(prefix="fuzz-")


def images(content: bytes) -> None:
    """An IDX file of images, gzipped or plain, as a stream of chunks."""
    for _ in idx.open_images(io.BytesIO(content)).chunks(CHUNK):
        pass


def labels_file(content: bytes) -> None:
    """An IDX file of labels."""
    for _ in idx.open_labels(io.BytesIO(content)).chunks(CHUNK):
        pass


def ingested(content: bytes) -> None:
    """A file of a mirror, as ``ingest`` looks at it before it lands."""
    inspect(io.BytesIO(content), "train-labels-idx1-ubyte")


def gzip_stream(content: bytes) -> None:
    """A payload, read in pieces of changing size."""
    payload = Payload(io.BytesIO(content), "file.gz")
    size = 1
    while payload.read(size):
        size = size * 3 % 4096 + 1


def shard(content: bytes) -> None:
    """A shard of records."""
    for _ in records.read_stream(io.BytesIO(content), "a.tfrecord", CHUNK):
        pass


def trainer_shard(content: bytes) -> None:
    """A file of records as the trainer reads it, with TensorFlow."""
    from components.train.trainer.input_pipeline import read_examples

    read_examples([_written("a.tfrecord", content)])


def manifest_file(content: bytes) -> None:
    """``manifest.json`` of a directory with the files ``a`` and ``b/c``."""
    directory = _written("output/a", b"1").parent
    _written("output/b/c", b"22")
    _written(f"output/{manifest.MANIFEST}", content)
    verify(directory)
    manifest.content_digest(manifest.read_manifest(directory))


def version_file(content: bytes) -> None:
    """``version.json`` of a model in the registry."""
    _look_up(content, b"{}")


def aliases_file(content: bytes) -> None:
    """``aliases.json`` of a model in the registry."""
    _look_up(b"{}", content)


def evaluation_file(content: bytes) -> None:
    """The evaluation that ``package_model`` reads."""
    provenance.read_evaluation(_written("evaluation.json", content))


def compiled_file(content: bytes) -> None:
    """The file of ``--spec``, and what ``run`` does with it before it begins."""
    spec = specs.load(_written("spec.yaml", content))
    parameters.describe(spec)
    parameters.resolve(spec, parameters.parse([], spec))
    specs.leaf_tasks(spec)
    specs.digest(spec)
    localize(spec, spec["pipelineInfo"]["name"], keep_preamble=False)


def parameter(content: bytes) -> None:
    """``-p name=value``, checked against the committed pipeline; digests as ``ingest`` does."""
    spec = _committed()
    values = parameters.parse([_argument(content)], spec)
    parameters.resolve(spec, {"bucket_uri": "gs://bucket", **values})
    expected_digests(values.get("digests", {}), allow_unverified=False)
    parameters.check_address(values.get("source", ""))


def preset(content: bytes) -> None:
    """``--preset NAME``."""
    parameters.resolve(_committed(), {"bucket_uri": ""}, preset=_argument(content))


def hyperparameters(content: bytes) -> None:
    """Values of any JSON type for the trainer's hyperparameters."""
    try:
        given = json.loads(content)
    except (ValueError, RecursionError):
        return
    if isinstance(given, dict):
        known = {name: value for name, value in given.items() if name in _HYPERPARAMETERS}
        Hyperparameters(**known)


def photo(content: bytes) -> None:
    """An image file, as ``predict`` shows it to the network; its error is one line."""
    try:
        seen = seen_by_network(content)
    except PhotoError as error:
        assert str(error).isprintable()
        raise
    assert seen.shape == (28, 28) and seen.dtype == np.uint8


def _lenient(target: Target) -> Target:
    """The target, to which a documented error is a right answer."""

    @functools.wraps(target)
    def run(content: bytes) -> None:
        with contextlib.suppress(StepError, UsageError, PhotoError):
            target(content)

    return run


TARGETS: Final[Mapping[str, Target]] = {
    name: _lenient(target)
    for name, target in {
        "images": images,
        "labels": labels_file,
        "ingested": ingested,
        "gzip": gzip_stream,
        "records": shard,
        "trainer-records": trainer_shard,
        "manifest": manifest_file,
        "version": version_file,
        "aliases": aliases_file,
        "evaluation": evaluation_file,
        "spec": compiled_file,
        "parameter": parameter,
        "preset": preset,
        "hyperparameters": hyperparameters,
        "photo": photo,
    }.items()
}
"""Name and function of each parser."""
STREAMED: Final = ("images", "labels", "ingested", "gzip", "records")
"""Those whose memory is bounded whatever the file."""

_HYPERPARAMETERS: Final = frozenset(Hyperparameters().as_dict())


def _look_up(version: bytes, aliases: bytes) -> None:
    path = _written(f"registry/{MODEL}/1/saved_model.pb", b"graph")
    _written(f"registry/{MODEL}/1/version.json", version)
    _written(f"registry/{MODEL}/aliases.json", aliases)
    found = Registry(path.parents[2]).resolve(MODEL, "default")
    models_command.row(models_command.facts_of(found))
    verify(found.path)


def _argument(content: bytes) -> str:
    """Bytes of a command line as Python gives them."""
    return content.decode("utf-8", "surrogateescape")


@functools.cache
def _committed() -> dict[str, Any]:
    return specs.load(COMPILED / PIPELINE)


def _written(name: str, content: bytes) -> Path:
    path = Path(_SCRATCH.name) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
