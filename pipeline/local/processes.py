"""A step's process: it leads a group of its own, is read line by line, and is never left behind."""

import codecs
import contextlib
import os
import re
import signal
import subprocess
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pipeline.local.cluster import SUPERVISOR

STOP_SECONDS: Final = 5.0
READ_BYTES: Final = 65_536

EXECUTOR: Final = re.compile(r"^\[KFP Executor [^]]*\]: ?")
ABOUT_ITSELF: Final = (
    "Looking for component",
    "Loading KFP component",
    "Got executor_input",
    "Wrote executor output file",
)
"""How the lines begin that kfp's executor writes about itself."""
FORESEEN: Final = re.compile(r"^(?:components|pipeline)(?:\.\w+)+: ")
"""The last line of the traceback of one of the project's own errors."""
TRACEBACK: Final = (
    "Traceback (most recent call last):",
    "During handling of the above exception",
    "The above exception was the direct cause",
)


@contextlib.contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], directory: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Starts a command; when the block ends, it and everything it started have ended.

    They also end when this process is killed before it can end the block.

    Yields:
        The process; its ``stdout`` carries standard error too.
    """
    process = subprocess.Popen(  # noqa: S603 (the command is the compiled spec's)
        [*SUPERVISOR, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=dict(environment),
        cwd=directory,
        start_new_session=True,
    )
    try:
        yield process
        process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in filter(None, (process.stdin, process.stdout)):
            pipe.close()


def read_lines(process: "subprocess.Popen[bytes]") -> Iterator[tuple[str, bool]]:
    r"""What a process writes, as it writes it.

    Yields:
        A line without its end, and whether it is transient: ended by ``\r`` as progress is.
    """
    assert process.stdout is not None  # noqa: S101 - running() gives it a pipe
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    rest = ""
    while chunk := os.read(process.stdout.fileno(), READ_BYTES):
        rest = (rest + decode(chunk)).replace("\r\n", "\n")
        *lines, rest = rest.replace("\r", "\r\n").split("\n")
        for line in lines:
            yield line.removesuffix("\r"), line.endswith("\r")
    if rest:
        yield rest, False


def make_environment(directory: Path) -> Path:
    """Makes a Python environment with nothing but pip in it; its interpreter."""
    venv.create(directory, with_pip=True)
    return directory / "bin" / "python"


class OwnLines:
    """Picks a step's own lines from its output, in order.

    What kfp's executor says about itself is left out, and so is the traceback of an error that
    the project foresaw: its message says it all.
    """

    def __init__(self) -> None:
        self._in_input = False
        self._traceback: list[str] = []

    def own(self, line: str) -> str | None:
        """The line as the step wrote it; None where it is the executor's."""
        if self._in_input:
            # The executor dumps its input as indented JSON, from a brace to a brace.
            self._in_input = line != "}"
            return None
        text = EXECUTOR.sub("", line)
        if text != line and text.startswith(ABOUT_ITSELF):
            self._in_input = text.startswith("Got executor_input")
            return None
        return text if text.strip() else None

    def shown(self, line: str) -> list[str]:
        """The lines to show now: a traceback is held back until its end."""
        if not self._traceback and not line.startswith(TRACEBACK[0]):
            return [line]
        inside = line.startswith((" ", *TRACEBACK)) or self._traceback[-1].startswith(" ")
        if inside or foreseen(self._traceback):
            self._traceback.append(line)
            return []
        return [*self.rest(), line]

    def rest(self) -> list[str]:
        """The traceback that was held back; nothing where the project foresaw its error."""
        held, self._traceback = self._traceback, []
        return [] if foreseen(held) else held


def foreseen(lines: Sequence[str]) -> str:
    """The message of the project's own error at the end of a traceback; empty without one."""
    for index in reversed(range(len(lines))):
        if FORESEEN.match(lines[index]):
            return "\n".join([FORESEEN.sub("", lines[index]), *lines[index + 1 :]]).strip()
    return ""
