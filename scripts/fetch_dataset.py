"""Lands FashionMNIST's four files in a folder: ``python -m scripts.fetch_dataset data``.

Each comes from the first of the public mirrors that serves it, and is verified by its SHA-256.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from components.dataset.errors import StepError
from components.dataset.facts import DIGESTS, MIRRORS
from components.ingest.fetch import fetch
from components.ingest.mirror import Mirror


def land(mirrors: Sequence[str], digests: Mapping[str, str], target: Path) -> None:
    """Writes ``<name>.gz`` of each file that ``digests`` names; all of them or none.

    Args:
        mirrors: ``http(s)://`` bases, in the order in which they are tried.
        digests: SHA-256 of each file's payload.
        target: The folder; made when it is missing.

    Raises:
        SourceError: No mirror has a sound copy of a file.
    """
    sources = [Mirror(base) for base in mirrors]
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target) as scratch:
        fetched = [fetch(sources, name, digest, Path(scratch)) for name, digest in digests.items()]
        for file in fetched:
            file.path.replace(target / file.path.name)


if __name__ == "__main__":
    try:
        land(MIRRORS, DIGESTS, Path(sys.argv[1]))
    except (StepError, OSError) as error:
        sys.exit(f"setup: {error}")
