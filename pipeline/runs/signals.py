"""What it means that a signal ended a step, on this machine or on Vertex AI."""

import re
import signal
from typing import Final

SIGNALLED: Final = 128
"""What a shell adds to a signal's number for its exit code."""
OUT_OF_MEMORY: Final = re.compile(
    r"(code|status)\D{0,20}137\b|sigkill|out.of.memory|oomkilled", re.I
)
"""How a service words that the system killed a process: it does so when memory runs out."""
CAUSES: Final[dict[int, str]] = {
    signal.SIGILL: "a package needs instructions that this processor lacks, as AVX; use another "
    "machine",
    signal.SIGBUS: "the disk or the shared memory may be full; free some space",
}


def of_exit_code(code: int, step: str) -> str:
    """Which signal ended a step on this machine, and what to do; empty if none did.

    The code is a shell's (137) or a negative signal (-9).
    """
    number = -code if code < 0 else code - SIGNALLED
    if number == signal.SIGKILL:
        more = ", train with a smaller batch_size or fewer replicas" if step == "train" else ""
        return (
            f"the system killed it (exit code {SIGNALLED + number}), most likely because memory "
            f"ran out; close other programs{more}, or use a machine with more memory"
        )
    if number not in signal.valid_signals():
        return ""
    cause = f": {CAUSES[number]}" if number in CAUSES else ""
    name = signal.strsignal(number)
    return f"a signal ended it ({name}, exit code {SIGNALLED + number}){cause}"


def of_message(text: str, step: str) -> str:
    """What to do about a step's error on Vertex AI if memory ran out there; else empty."""
    if not OUT_OF_MEMORY.search(text):
        return ""
    cure = "give the step more with set_memory_limit in pipeline/definition.py"
    if step == "train":
        cure = "submit with a smaller batch_size or more memory, as --machine-type n1-highmem-8"
    return f"the system killed it, most likely because memory ran out; {cure}"
