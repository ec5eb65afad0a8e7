"""Runs a command as the replicas of a CustomJob, on this machine, as Vertex AI would on several.

Each replica is a process of its own with TF_CONFIG and CLUSTER_SPEC. Where one dies, all are
ended and the job starts again; where one ends with an error of its own, the job has failed.

It is started as a script, by the interpreter that the step has, and imports nothing of the
project: in a hermetic run that interpreter knows nothing but the step's pins.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

RESTARTS: Final = 3
POLL_SECONDS: Final = 0.2
SETTLE_SECONDS: Final = 1.0
"""How long to wait after a failure for that of the replica which caused it."""
STOP_SECONDS: Final = 3.0
SIGNALLED: Final = 128
"""What a shell adds to a signal's number for its exit code."""
LOG_LINES: Final = 40
SUPERVISOR: Final = (sys.executable, "-I", "-S", str(Path(__file__).with_name("supervisor.py")))
"""Ends a replica when this process is killed; a script too, which is named by its place."""


@dataclasses.dataclass(frozen=True)
class Replica:
    """One process of the job; it leads a process group of its own."""

    number: int
    process: "subprocess.Popen[bytes]"
    log: Path | None

    @property
    def died(self) -> bool:
        """Whether a signal ended it, as when a machine goes away."""
        code = self.process.poll()
        return code is not None and (code < 0 or code > SIGNALLED)

    @property
    def failed(self) -> bool:
        """Whether it ended otherwise than well."""
        return bool(self.process.poll())


def run(command: Sequence[str], replicas: int) -> int:
    """Runs the job from start to end.

    Returns:
        The exit code: 0 when every replica ended well, else that of the first that did not.
    """
    for attempt in range(RESTARTS + 1):
        with started(command, replicas) as job:
            failed = wait(job)
            if failed is None:
                return 0
        again = failed.died and attempt < RESTARTS
        if not again and not failed.number:
            return abs(int(failed.process.returncode))
        what = "died" if failed.died else f"ended with exit code {failed.process.returncode}"
        rest = f"; the job starts again ({attempt + 1} of {RESTARTS} times)" if again else ""
        print(f"replica {failed.number} {what}{rest}", flush=True)  # noqa: T201 - a log of its own
        if not again:
            show(failed)
            return abs(int(failed.process.returncode))
    return 1


@contextlib.contextmanager
def started(command: Sequence[str], replicas: int) -> Iterator[list[Replica]]:
    """Starts the replicas; when the block ends, they and all they started have ended."""
    addresses = free_addresses(replicas)
    job: list[Replica] = []
    try:
        for number in range(replicas):
            log = Path(f"replica-{number}.log") if number else None
            environment = {**os.environ, **cluster_variables(addresses, number)}
            with open_log(log) as output:
                process = subprocess.Popen(  # noqa: S603 (the command is the compiled spec's)
                    [*SUPERVISOR, *command],
                    env=environment,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT if output else None,
                    start_new_session=True,
                    close_fds=False,
                )
            job.append(Replica(number, process, log))
        yield job
    finally:
        stop(job)


def wait(job: Sequence[Replica]) -> Replica | None:
    """Waits for the end of all replicas, or of the first that fails.

    Returns:
        The replica that failed, one that died before one with an error; None: all ended well.
    """
    while any(replica.process.poll() is None for replica in job):
        if any(replica.failed for replica in job):
            time.sleep(SETTLE_SECONDS)
            break
        time.sleep(POLL_SECONDS)
    failed = [replica for replica in job if replica.failed]
    return min(failed, key=lambda replica: not replica.died, default=None)


def stop(job: Sequence[Replica]) -> None:
    """Ends what is left of the replicas."""
    deadline = time.monotonic() + STOP_SECONDS
    for kind in (signal.SIGTERM, signal.SIGKILL):
        for replica in job:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(replica.process.pid, kind)
        for replica in job:
            with contextlib.suppress(subprocess.TimeoutExpired):
                replica.process.wait(max(0.0, deadline - time.monotonic()))
    for replica in job:
        replica.process.wait()


def cluster_variables(addresses: Sequence[str], number: int) -> Mapping[str, str]:
    """TF_CONFIG and CLUSTER_SPEC of a replica, as Vertex AI sets them for two worker pools."""
    chief, *workers = addresses
    index = max(number - 1, 0)

    def variable(first: str, second: str) -> str:
        cluster: dict[str, Any] = {first: [chief]} | ({second: workers} if workers else {})
        task = {"type": second if number else first, "index": index}
        return json.dumps({"cluster": cluster, "environment": "cloud", "task": task})

    return {
        "TF_CONFIG": variable("chief", "worker"),
        "CLUSTER_SPEC": variable("workerpool0", "workerpool1"),
    }


def free_addresses(count: int) -> list[str]:
    """Loopback addresses with ports that nobody uses."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


def show(replica: Replica) -> None:
    """Writes the last lines of a replica that had a log of its own."""
    if replica.log:
        lines = replica.log.read_text(errors="replace").splitlines()[-LOG_LINES:]
        print(*lines, sep="\n", flush=True)  # noqa: T201 - a log of its own


@contextlib.contextmanager
def open_log(log: Path | None) -> Iterator[Any]:
    """The file of a log; None for the replica that writes to this process's own output."""
    if log is None:
        yield None
        return
    with log.open("ab") as file:
        yield file


def main(argv: Sequence[str]) -> int:
    """The command line: ``--replicas N -- COMMAND …``."""
    parser = argparse.ArgumentParser(description="Runs a command as the replicas of a job.")
    parser.add_argument("--replicas", type=int, required=True)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    arguments = parser.parse_args(argv)
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(SIGNALLED + signal.SIGTERM))
    return run(command, arguments.replicas)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
