"""Runs the code blocks of the documents with Sybil, as a reader would.

Python, ``sh``, JSON and YAML blocks are run or parsed. A block below ``<!-- skip: next -->``, which
a reader does not see, is left out: it needs a cloud account, or takes minutes.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from PIL import Image
from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

if TYPE_CHECKING:
    from tests.small_project import FirstRun

PROJECT = Path(__file__).parent
PHOTOS = ("boot.jpg", "pullover.jpg", "trousers.jpg")


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> "FirstRun":
    """A real run of the whole pipeline, made once for all tests and all their processes."""
    from tests.small_project import FirstRun

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    return FirstRun.shared(folder / "first-run")


@pytest.fixture(scope="session")
def reader(first_run: "FirstRun", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of somebody who has run the pipeline once."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / ".venv").symlink_to(sys.prefix)
    for name in ("compiled", "components", "pipeline", "serving"):
        (folder / name).symlink_to(PROJECT / name)
    shutil.copytree(first_run.root, folder / ".fashion-mnist", symlinks=True)
    photo = Image.new("L", (120, 160), 250)
    photo.paste(20, (30, 20, 90, 140))
    for name in PHOTOS:
        photo.save(folder / name)
    return folder


@pytest.fixture
def in_readers_folder(reader: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the blocks of the documents run."""
    monkeypatch.chdir(reader)
    monkeypatch.setenv("FASHION_MNIST_ROOT", str(reader / ".fashion-mnist"))


def run_in_shell(example: Example) -> None:
    """Fails with what a command printed when it fails."""
    done = subprocess.run(
        ["sh", "-e", "-c", str(example.parsed)],
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def parse_json(example: Example) -> None:
    json.loads(str(example.parsed))


def parse_yaml(example: Example) -> None:
    yaml.safe_load(str(example.parsed))


pytest_collect_file = Sybil(
    parsers=[
        PythonCodeBlockParser(),
        CodeBlockParser("sh", run_in_shell),
        CodeBlockParser("json", parse_json),
        CodeBlockParser("yaml", parse_yaml),
        SkipParser(),
    ],
    patterns=["*.md", "docs/*.md", "docs/components/*.md"],
    fixtures=["in_readers_folder"],
).pytest()
