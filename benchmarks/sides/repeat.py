"""A raw dataset, repeated: ``python -m benchmarks.sides.repeat RAW OUT TIMES``."""

import dataclasses
import gzip
import struct
import sys
from pathlib import Path

from components.dataset.facts import FILES
from components.ingest.fashion_mnist import DESCRIPTION


def repeated(raw: Path, folder: Path, times: int) -> Path:
    """Makes a raw dataset of the given one, repeated; packed members follow one another."""
    folder.mkdir()
    for name in FILES:
        with gzip.open(raw / f"{name}.gz") as file:
            content = file.read()
        fields = 4 if "images" in name else 2
        magic, count, *rest = struct.unpack_from(f">{fields}I", content)
        header = struct.pack(f">{fields}I", magic, count * times, *rest)
        member = gzip.compress(content[len(header) :], 6)
        with (folder / f"{name}.gz").open("wb") as packed:
            packed.write(gzip.compress(header))
            for _ in range(times):
                packed.write(member)
    dataclasses.replace(DESCRIPTION, digests={}).write(folder)
    return folder


if __name__ == "__main__":
    repeated(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
