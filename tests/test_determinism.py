"""The same seed gives the same bytes, in another process, place and environment.

What differs is named here: times and speeds, and ``fingerprint.pb``, which counts for no digest.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.dataset.manifest import MANIFEST, VOLATILE, content_digest, read_manifest
from tests.idx_files import write_idx_set
from tests.soak import TRAINING_STEPS

HERE = {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C"}
ELSEWHERE = {"PYTHONHASHSEED": "4242", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}
PRECISIONS = ("float32", "bfloat16")
TIMES = {"seconds", "training_seconds", "images_per_second"}
"""Figures of a training that are not the same twice."""
SMALL = ["--filters", "16", "32", "--batch-size", "32", "--train-steps", "14"]
RANDOM = ["--augmentation", "flip+shift", "--dropout", "0.2", "--seed", "3"]
"""Everything of the training that draws random numbers."""

DECODE = """
import sys
from pathlib import Path
from components.dataset.facts import SPLITS
from components.decode.conversion import Options, convert

out = Path(sys.argv[2])
convert(sys.argv[1], {split: out / split for split in SPLITS}, Options(3, 40, seed=5))
"""
TRAIN = """
import sys
from components.train.trainer import task

records, out, precisions, *options = sys.argv[1:]
for precision in precisions.split(","):
    code = task.main([
        "--train-files", f"{records}/train/*.tfrecord",
        "--eval-files", f"{records}/validation/*.tfrecord",
        "--job-dir", f"{out}/{precision}", "--precision", precision, *options,
    ])
    if code:
        sys.exit(code)
"""


def in_a_process(script: str, *arguments: object, environment: dict[str, str], umask: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, **environment},
        umask=umask,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def contents(directory: Path) -> dict[str, bytes]:
    """Every file but the manifests and what is named as different."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name not in {MANIFEST, *VOLATILE}
    }


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def figures(path: Path) -> Any:
    return without_times(json.loads(path.read_text()))


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The records of 600 examples, decoded twice: the two folders are beside each other."""
    folder = tmp_path_factory.mktemp("determinism")
    write_idx_set(folder / "raw", train_per_class=60, test_per_class=5)
    in_a_process(DECODE, folder / "raw", folder / "first", environment=HERE, umask=0o022)
    in_a_process(DECODE, folder / "raw", folder / "again", environment=ELSEWHERE, umask=0o077)
    return folder / "first"


def test_the_same_seed_gives_the_same_records(records: Path) -> None:
    first, again = (contents(folder) for folder in (records, records.with_name("again")))
    assert len(first) == 9
    assert first == again


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(SMALL, id="short"),
        pytest.param(
            ["--train-steps", str(TRAINING_STEPS)],
            id="long",
            marks=[pytest.mark.soak, pytest.mark.timeout(3600)],
        ),
    ],
)
def test_the_same_seed_gives_the_same_weights_on_the_same_machine(
    records: Path, tmp_path: Path, options: list[str]
) -> None:
    arguments = (",".join(PRECISIONS), *options, *RANDOM)
    first, again = tmp_path / "first", tmp_path / "again"
    in_a_process(TRAIN, records, first, *arguments, environment=HERE, umask=0o022)
    in_a_process(TRAIN, records, again, *arguments, environment=ELSEWHERE, umask=0o077)
    for precision in PRECISIONS:
        models = [folder / precision / "model" for folder in (first, again)]
        assert contents(models[0]) == contents(models[1]), precision
        digests = [content_digest(read_manifest(model)) for model in models]
        assert digests[0] == digests[1]
        for name in ("history.json", "metrics.json"):
            assert figures(first / precision / name) == figures(again / precision / name)
    two = [contents(first / precision / "model") for precision in PRECISIONS]
    weights = "variables/variables.data-00000-of-00001"
    assert two[0][weights] != two[1][weights]
