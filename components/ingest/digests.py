"""Which digests a dataset must have, and where in the bucket that dataset lies."""

import hashlib
from collections.abc import Mapping

from components.dataset.errors import ParameterError
from components.dataset.facts import DIGESTS, FILES


def expected_digests(digests: Mapping[str, str], allow_unverified: bool) -> dict[str, str] | None:
    """The digests to verify by; None when any dataset of this form is allowed.

    Raises:
        ParameterError: ``digests`` does not name the four files, or is no SHA-256.
    """
    if not digests:
        return None if allow_unverified else dict(DIGESTS)
    if set(digests) != set(FILES):
        raise ParameterError(
            f"digests names {', '.join(sorted(digests))}, expected exactly {', '.join(FILES)}"
        )
    chosen = {name: str(digests[name]).lower() for name in FILES}
    for name, digest in chosen.items():
        if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise ParameterError(
                f"digests[{name!r}] is {digest!r}, expected the 64 hexadecimal digits of the "
                "SHA-256 of the decompressed file"
            )
    return chosen


def raw_directory(bucket_uri: str, digests: Mapping[str, str]) -> str:
    """Where a dataset lies: ``<bucket_uri>/raw/`` and 16 digits of the digest of its digests."""
    key = hashlib.sha256("".join(digests[name] for name in FILES).encode()).hexdigest()[:16]
    return f"{bucket_uri.rstrip('/')}/raw/{key}"
