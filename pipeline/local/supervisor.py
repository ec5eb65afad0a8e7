"""Runs a command, and kills its whole process group when the process that wanted it has gone.

It is a script that leads a process group and has a pipe as its standard input. The system closes
the other end of the pipe when its owner ends, even by SIGKILL. The script imports nothing of the
project, so that any interpreter can run it.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Final

SIGNALLED: Final = 128
"""What a shell adds to a signal's number for its exit code."""


def run(command: Sequence[str]) -> int:
    """Runs a command to its end; its exit code, as a shell would give it."""
    # Handlers, since the command would inherit an ignored signal.
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603
    threading.Thread(target=kill_at_end_of_input, daemon=True).start()
    code = process.wait()
    return code if code >= 0 else SIGNALLED - code


def kill_at_end_of_input() -> None:
    """Waits for the end of the standard input, then kills the process group and this script."""
    while os.read(0, 1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
