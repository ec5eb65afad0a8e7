"""Places as people give them: paths on this machine and addresses in a bucket."""

import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from components.dataset.bucket import SCHEME
from components.dataset.errors import StepError

FILE: Final = "file://"
ADDRESS: Final = re.compile("[A-Za-z][A-Za-z0-9+.-]*:/+")
"""How an address begins, also one that lost a slash, as ``gs:/bucket``."""


class PlaceError(StepError):
    """An address that is neither on this machine nor in a bucket of Cloud Storage.

    Its text repeats only the ``start`` of the address, as ``s3://``: the rest may be secret.
    """

    def __init__(self, start: str) -> None:
        super().__init__(
            f"an address that starts with {start} cannot be used; give a path, file:///PATH or "
            "gs://BUCKET/…"
        )
        self.start = start


def local_path(place: str) -> Path | None:
    """The path of a place on this machine; None for a ``gs://`` address.

    ``file:///…`` is a path too, and ``~`` is the home directory.

    Raises:
        PlaceError: It is an address of another kind.
    """
    if place.startswith(SCHEME):
        return None
    if place.startswith(f"{FILE}/"):
        return Path(unquote(place.removeprefix(FILE)))
    if address := ADDRESS.match(place):
        raise PlaceError(address[0])
    return Path(os.path.expanduser(place))  # noqa: PTH111 - an unknown user is no error here.
