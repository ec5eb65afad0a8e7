"""Opens the raw files where they lie: in a bucket, or in a local directory."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.dataset import bucket
from components.dataset.errors import DataError
from components.dataset.payload import Readable


@contextmanager
def open_raw(uri: str, name: str) -> Iterator[Readable]:
    """Opens ``<name>.gz`` below ``uri``, in a local directory also plain ``<name>``.

    Args:
        uri: ``gs://bucket/prefix`` or the path of a directory.
        name: One of ``facts.FILES``.

    Raises:
        BucketError: The object is gone, the bucket refuses, or cannot be reached.
        DataError: The directory has no such file.
    """
    if uri.startswith(bucket.SCHEME):
        yield bucket.open_object(f"{uri.rstrip('/')}/{name}.gz")
        return
    paths = (Path(uri) / f"{name}.gz", Path(uri) / name)
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise DataError(f"{uri or 'the raw dataset'} has no {name}.gz; run ingest first")
    with path.open("rb") as file:
        yield file
