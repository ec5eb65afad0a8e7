"""A version as a run leaves it, with all that is recorded of it, and what may happen to it."""

from pathlib import Path
from typing import Any

from components.dataset.code import code_digest
from components.dataset.manifest import content_digest, write_manifest
from components.ingest.fashion_mnist import DIGESTS
from pipeline.runs.registry import Registry, Version
from tests.saved_models import make_model

NAME = "fashion-mnist"
ACCURACY = 0.9411
ORIGIN: dict[str, Any] = {
    "parameters": {"seed": 3, "filters": [32, 64]},
    "precision": "float32",
    "data": {"train": "7ea1", "validation": "ba11"},
    "versions": {"tensorflow": "2.21.0", "keras": "3.15.1", "python": "3.11.7"},
}
VARIABLES = "variables/variables.index"


def register(registry: Registry, source: Path, **changed: Any) -> Version:
    make_model(source)
    (source / VARIABLES).write_bytes(source.name.encode() * 100)
    code = code_digest("components.train.trainer.job")
    digest = content_digest(write_manifest(source, **ORIGIN, code_digest=code))
    facts = {
        "run": "run-1",
        "metrics": {"accuracy": ACCURACY},
        "digests": {
            "model": digest,
            "raw": DIGESTS,
            "train_records": "7ea1",
            "validation_records": "ba11",
            "code": code,
        },
        "verified": True,
        # As they come back from kfp, which knows no integers.
        "parameters": {"seed": 3.0, "filters": [32.0, 64.0]},
        "versions": ORIGIN["versions"],
    }
    evaluation = {"model_digest": digest, "confidenceMetrics": [{"recall": ACCURACY}]}
    return registry.add_version(NAME, source, {**facts, **changed}, ["default"], evaluation)


def flip_a_bit(path: Path) -> None:
    content = bytearray((path / VARIABLES).read_bytes())
    content[50] ^= 1
    (path / VARIABLES).write_bytes(content)


def lose_the_record(path: Path) -> None:
    (path / "version.json").unlink()
