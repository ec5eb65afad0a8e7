"""The decode step by itself: ``python -m benchmarks.sides.decode RAW OUT``."""

import sys
from pathlib import Path

from components.dataset.facts import SPLITS
from components.decode.conversion import convert


def main(raw: str, out: str) -> None:
    """Writes the splits below ``out``."""
    convert(raw, {split: Path(out, split) for split in SPLITS})


if __name__ == "__main__":
    main(*sys.argv[1:])
