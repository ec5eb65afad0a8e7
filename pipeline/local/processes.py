"""A step's process: started in a group of its own, read line by line, and never left behind."""

import codecs
import contextlib
import os
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from pipeline.local import supervisor

STOP_SECONDS: Final = 5.0
"""How long a step may take to stop before it is killed."""
READ_BYTES: Final = 65_536
SUPERVISOR: Final = (sys.executable, "-I", "-S", str(Path(supervisor.__file__).resolve()))


@contextlib.contextmanager
def running(
    command: Sequence[str],
    environment: Mapping[str, str],
    directory: Path,
    held: Sequence[int] = (),
) -> Iterator["subprocess.Popen[bytes]"]:
    """Starts a command; when the block ends, it and all it started have ended.

    They end too when this process is killed before it can end the block.

    Args:
        command: Program and arguments.
        environment: The whole environment of the process.
        directory: Its working directory.
        held: File descriptors that it keeps open until it ends, such as that of a lock.

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
        pass_fds=held,
    )
    try:
        yield process
        process.wait()
    finally:
        _stop_group(process)
        for pipe in filter(None, (process.stdin, process.stdout)):
            pipe.close()


def _stop_group(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def read_lines(process: "subprocess.Popen[bytes]") -> Iterator[tuple[str, bool]]:
    r"""What a process writes, as it writes it.

    Yields:
        A line without its end, and whether it is transient: ended by ``\r`` as progress is.
    """
    if process.stdout is None:
        raise ValueError("the process has no pipe to read from")
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
    """Makes a Python environment with nothing in it but pip.

    Returns:
        Its interpreter.
    """
    venv.create(directory, with_pip=True)
    return directory / "bin" / "python"
