"""Runs a command, and kills it with all its process group when whoever wanted it has gone.

It is started as a script that leads a process group, with a pipe as its standard input: while the
other end is open, somebody waits for the command. A killed process cannot close a door behind
itself; the pipe is closed by the system. The script imports nothing of the project, so that any
interpreter can run it.
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
    """Runs a command from start to end.

    Returns:
        Its exit code; where a signal ended it, what a shell makes of that.
    """
    # Handlers, since what is ignored would stay ignored in the command.
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    # The command keeps what this script was given to hold, such as a lock.
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, close_fds=False)  # noqa: S603
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
