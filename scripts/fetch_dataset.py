"""Downloads FashionMNIST's four files to a folder: ``python -m scripts.fetch_dataset data``.

Each comes from the first public mirror that serves it, and is verified by its SHA-256.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import requests

from components.dataset.description import Description
from components.dataset.errors import StepError
from components.dataset.facts import TRAIN_LABELS
from components.ingest.fashion_mnist import DESCRIPTION, MIRRORS
from components.ingest.fetch import fetch


def land(mirrors: Sequence[str], about: Description, target: Path) -> None:
    """Writes ``<name>.gz`` of each file that the description has a digest of; all of them or none.

    The mirrors are tried in their order.
    """
    sources = list(mirrors)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target) as scratch:
        fetched = [fetch(sources, name, about, Path(scratch)) for name in about.digests]
        for file in fetched:
            file.path.replace(target / file.path.name)


def answers(mirror: str) -> bool:
    """Whether a mirror has the smallest training file; decided in seconds."""
    try:
        answer = requests.head(f"{mirror}{TRAIN_LABELS}.gz", timeout=3, allow_redirects=True)
    except requests.RequestException:
        return False
    return answer.ok and "html" not in answer.headers.get("Content-Type", "")


if __name__ == "__main__":
    if not any(map(answers, MIRRORS)):
        sys.exit("setup: no mirror of FashionMNIST can be reached")
    try:
        print("setup: downloading FashionMNIST to data/ (31 MB)")  # noqa: T201
        land(MIRRORS, DESCRIPTION, Path(sys.argv[1]))
    except (StepError, OSError) as error:
        sys.exit(f"setup: {error}")
