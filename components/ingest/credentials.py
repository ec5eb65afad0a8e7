"""Credentials stay out of addresses, and addresses with credentials out of texts."""

import re
from typing import Final

from components.dataset.errors import SourceError

USER: Final = re.compile(r"(?<=://)[^/\s]*@")
QUERY: Final = re.compile(r"(?<=[^\s?])\?[^\s'\")>]+")
HIDDEN: Final = "***"


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
    if "://" in source and re.search("[?#]", source):
        raise SourceError(
            "source has a query or a fragment, and the names of the four files are appended to it; "
            "give the base address alone, or a gs:// prefix"
        )


def redacted(text: str) -> str:
    """A text with the users, passwords and queries of its addresses hidden."""
    return QUERY.sub(f"?{HIDDEN}", USER.sub(f"{HIDDEN}@", text))
