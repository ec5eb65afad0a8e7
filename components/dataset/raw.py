"""Finds and opens the raw files: in a bucket, or in a local directory."""

import difflib
import gzip
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from components.dataset.bucket import SCHEME, download
from components.dataset.description import NAME, Description
from components.dataset.errors import DataError
from components.dataset.idx import GZIP_MAGIC, IMAGES, LABELS

ROLE: Final = re.compile("(?<![a-z])(train|t10k|test)[-_. ]?(images|labels)")
"""What producers call the files, as ``emnist-letters-test-images-idx3-ubyte`` for ``t10k-…``."""
DEEPEST: Final = 3
"""Folders in which a file is looked for, as in ``FashionMNIST/raw/``."""
MOST_NAMED: Final = 3


@contextmanager
def open_raw(uri: str, name: str) -> Iterator[BinaryIO]:
    """Opens ``<name>.gz`` below ``uri``, in a local directory any file that ``find_file`` finds.

    An object is first copied to the temporary directory, where its CRC32C is checked.

    Raises:
        BucketError: The object is missing or damaged, the bucket refuses or cannot be reached.
        DataError: The directory has no such file.
    """
    if uri.startswith(SCHEME):
        with _copy(f"{uri.rstrip('/')}/{name}.gz") as copy:
            yield copy
        return
    path = find_file(Path(uri), name)
    if path is None:
        raise DataError(f"{uri or 'the raw dataset'} has no {name}.gz; run ingest first")
    with path.open("rb") as file:
        yield file


def read_description(uri: str) -> Description:
    """The description of the raw files below ``uri``.

    Raises:
        BucketError: The object is missing or damaged, the bucket refuses or cannot be reached.
        DataError: It is missing or damaged.
    """
    if not uri.startswith(SCHEME):
        return Description.read(Path(uri))
    address = f"{uri.rstrip('/')}/{NAME}"
    with _copy(address) as copy:
        return Description.parse(copy.read(), address)


@contextmanager
def _copy(address: str) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as copy:
        download(address, copy)
        yield copy


def find_file(directory: Path, name: str) -> Path | None:
    """The file of a directory with the content that ``name``, one of ``FILES``, stands for.

    It is ``<name>.gz`` or ``<name>``, or one below the directory that ``nearest`` finds among those
    that begin as IDX files do, or None.

    Raises:
        DataError: There are several.
    """
    for path in (directory / f"{name}.gz", directory / name):
        if path.is_file():
            return path
    if not directory.is_dir():
        return None
    files = {path.relative_to(directory).as_posix(): path for path in _files(directory)}
    idx_files = [each for each, path in files.items() if _role(each) and _is_idx(path)]
    found = nearest(idx_files or files, name)
    return files[found] if found else None


def nearest(names: Iterable[str], name: str) -> str | None:
    """The one of relative paths that stands for ``name`` in its producer's spelling, or None.

    Those in fewer folders come first, then compressed ones.

    Raises:
        DataError: There are several.
    """
    wanted = _role(name)
    found = sorted(
        (each for each in names if _role(each) == wanted),
        key=lambda each: (each.count("/"), not each.lower().endswith(".gz")),
    )
    several = [each for each in found if each.count("/") == found[0].count("/")]
    several = [each for each in several if each.removesuffix(".gz") != found[0].removesuffix(".gz")]
    if several:
        raise DataError(
            f"{found[0]} and {several[0]} may both be {name}; put the four files of one data set "
            "into a folder of their own"
        )
    return found[0] if found else None


def no_such_file(name: str, names: Iterable[str]) -> str:
    """What to say if none of the files that are there stands for ``name``."""
    there = [each for each in names if not PurePosixPath(each).name.startswith(".")]
    near = difflib.get_close_matches(name, there, MOST_NAMED, 0.5) or sorted(there)[:MOST_NAMED]
    if not near:
        return f"no {name}.gz there, and no other file; give another source"
    return f"no {name}.gz there, only {', '.join(near)}; rename the file, or give another source"


def _role(name: str) -> tuple[bool, str] | None:
    match = ROLE.search(PurePosixPath(name.lower()).name)
    return (match[1] == "train", match[2]) if match else None


def _files(directory: Path) -> Iterator[Path]:
    folders = [directory]
    for _ in range(DEEPEST):
        entries = [each for folder in folders for each in sorted(folder.iterdir())]
        yield from (each for each in entries if each.is_file())
        folders = [each for each in entries if each.is_dir()]


def _is_idx(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(4)
        if start[:2] == GZIP_MAGIC:
            with gzip.open(path) as packed:
                start = packed.read(4)
    except (OSError, EOFError):
        return False
    return len(start) == 4 and (IMAGES.fits(start) or LABELS.fits(start))
