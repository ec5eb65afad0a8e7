"""Credentials stay out of the addresses that a run is given."""

import re
from typing import Final

from components.dataset.errors import SourceError
from components.dataset.redaction import USER

NO_PORT: Final = re.compile(r"://(?:\[[^\]/]*\]|[^/?#:\[]*):(?!\d*(?:[/?#]|$))")
"""A colon of the authority that no port follows, so that a password may."""


def refuse_credentials(source: str) -> None:
    """Refuses an address with a user, a password or a signature in it.

    A source is a parameter of the pipeline, and parameters are kept in plain: in the job, in the
    metadata, in summaries and logs. The error does not repeat the address.

    Raises:
        SourceError: ``source`` is such an address.
    """
    if USER.search(source):
        raise SourceError(
            "source has a user or a password in its address, and a run keeps its parameters in "
            "plain; leave it out and put it into ~/.netrc, or give a gs:// prefix"
        )
    if NO_PORT.search(source):
        raise SourceError(
            "source has a colon after its host that no port follows, as where a password is given; "
            "correct the port, or put a password into ~/.netrc"
        )
    if "://" in source and re.search("[?#]", source):
        raise SourceError(
            "source has a query or a fragment, and the names of the four files are appended to it; "
            "give the base address alone, or a gs:// prefix"
        )
