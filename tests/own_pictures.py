"""Data sets of any form, for tests: classes that a tiny network can tell apart."""

import dataclasses
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.dataset.description import Description
from components.dataset.facts import FILES
from tests.idx_files import payload_digests, write_payloads


def pictures(about: Description, labels: NDArray[np.integer], seed: int) -> NDArray[np.uint8]:
    """Pictures that show their class: its own coarse pattern under noise, uint8 [n, …]."""
    size = (len(about.classes), 4, 4, *about.shape[2:])
    patterns = np.random.default_rng(2017).integers(0, 200, size, dtype=np.uint8)
    rows, columns = (np.arange(side) * 4 // side for side in about.shape[:2])
    large = patterns[:, rows][:, :, columns]
    noise = np.random.default_rng(seed).integers(0, 56, (len(labels), *about.shape), np.uint8)
    found: NDArray[np.uint8] = large[labels] + noise
    return found


def write(directory: Path, about: Description, train: list[int], test: list[int]) -> Description:
    """Writes the IDX files with so many examples of each class, and their ``dataset.json``."""
    payloads: dict[str, bytes] = {}
    for seed, (counts, names) in enumerate(((train, FILES[:2]), (test, FILES[2:]))):
        labels = np.repeat(np.arange(len(about.classes)), counts)
        labels = np.random.default_rng(seed).permutation(labels)
        images = pictures(about, labels, seed)
        header = struct.pack(f">{1 + images.ndim}I", 0x800 + images.ndim, *images.shape)
        payloads[names[0]] = header + images.tobytes()
        numbers = (labels + about.first_label).astype(np.uint8)
        payloads[names[1]] = struct.pack(">2I", 0x801, len(labels)) + numbers.tobytes()
    write_payloads(directory, payloads)
    about = dataclasses.replace(about, digests=payload_digests(payloads))
    about.write(directory)
    return about
