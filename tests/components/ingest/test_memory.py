"""However much a mirror sends, ingest's memory stays where it was."""

import contextlib
import hashlib
import tempfile
from pathlib import Path

import pytest

from components.dataset.errors import SourceError
from components.dataset.facts import TRAIN_IMAGES
from components.ingest.fetch import fetch
from components.ingest.sources import resolve
from tests.components.ingest.process import apply, peaks
from tests.components.ingest.source_faults import REDIRECTS, Fault
from tests.components.ingest.source_floods import ENDLESS
from tests.fakes.unruly import UnrulyServer, serve_unruly

MIB = 1 << 20
SENT = 16 * MIB
"""What a body without end has brought when it is given up here."""
FLOODS = ENDLESS | {
    name: fault for name, fault in REDIRECTS.items() if name.endswith("without end")
}


def give_up(url: str) -> None:
    """Fetches from a mirror that has nothing sound."""
    apply(
        {
            "components.ingest.connection:MAX_BYTES": SENT,
            "components.ingest.fetch:BACKOFF_SECONDS": 0,
        }
    )
    with tempfile.TemporaryDirectory() as scratch, pytest.raises(SourceError):
        fetch(resolve(url), TRAIN_IMAGES, hashlib.sha256(b"").hexdigest(), Path(scratch))


def serve_fault(fault: Fault) -> contextlib.AbstractContextManager[UnrulyServer]:
    return serve_unruly(lambda path: fault.speak(b""))


def test_a_flood_takes_no_memory() -> None:
    with contextlib.ExitStack() as stack:
        calls = {"sound": (stack.enter_context(serve_unruly(lambda path: [])).url,)}
        for name, fault in FLOODS.items():
            calls[name] = (stack.enter_context(serve_fault(fault)).url,)
        grown = peaks(give_up, calls)
    # The first call pays for what is loaded once.
    del grown["sound"]
    assert grown.keys() == FLOODS.keys()
    assert max(grown.values()) < 8 * MIB, grown
