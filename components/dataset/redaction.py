"""Text from other machines as one line for a person, without credentials."""

import re
from typing import Final

USER: Final = re.compile(r"(?<=://)(?:[^/\s]*|[^/\s:\[]*:(?!\d*/)\S*)@")
"""User and password before the host; a password may contain a slash, a port may not."""
QUERY: Final = re.compile(
    r"(https://console\.(?:cloud|developers)\.google\.com/[^\s?]*\?[^\s'\")>]+)"
    r"|(?<=[^\s?])\?[^\s'\")>]+"
)
"""A page of Google Cloud's console, which stays as it is, or the query of any other address."""
HIDDEN: Final = "***"


def redacted(text: str) -> str:
    """A text with the users, passwords and queries of its addresses hidden; see ``QUERY``."""
    return QUERY.sub(lambda found: found[1] or f"?{HIDDEN}", USER.sub(f"{HIDDEN}@", text))


def one_line(text: object, longest: int = 300) -> str:
    """A text on one line: redacted, printable, and at most ``longest`` characters."""
    words = redacted(" ".join(str(text).split()))
    line = "".join(char if char.isprintable() else " " for char in words)
    return line if len(line) <= longest else f"{line[: longest - 3]}..."
