"""Runs a command as the replicas of a CustomJob: on this machine, as Vertex AI would on several.

Each replica is a process of its own with TF_CONFIG and CLUSTER_SPEC. When one dies, all are ended
and the job starts again; when one ends with an error of its own, the job has failed.

It is a script that the step's interpreter runs, and imports nothing of the project: in a hermetic
run that interpreter has only the step's pins.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

RESTARTS: Final = 3
POLL_SECONDS: Final = 0.2
SETTLE_SECONDS: Final = 1.0
"""How long to wait after a failure for the replica that caused it to end too."""
STOP_SECONDS: Final = 3.0
SIGNALLED: Final = 128
"""What a shell adds to a signal's number for its exit code."""
LOG_LINES: Final = 40
SUPERVISOR: Final = (sys.executable, "-I", "-S", str(Path(__file__).with_name("supervisor.py")))
"""Ends a replica when this process is killed."""
Replicas = list["subprocess.Popen[bytes]"]
"""The processes of the job by number; each leads a process group of its own."""


def run(command: Sequence[str], replicas: int) -> int:
    """Runs the job from start to end; 0, or the exit code of the replica that failed first."""
    for attempt in range(1, RESTARTS + 2):
        with _started(command, replicas) as job:
            number = _wait(job)
            if number is None:
                return 0
            code = job[number].returncode
        again = _died(code) and attempt <= RESTARTS
        if number or again:
            rest = f"; the job starts again ({attempt} of {RESTARTS} times)" if again else ""
            _say(f"replica {number} {_end(code)}{rest}")
        if not again:
            break
    if number:
        lines = _log_of(number).read_text(errors="replace").splitlines()
        _say(*lines[-LOG_LINES:])
    return int(code) if code >= 0 else SIGNALLED - int(code)


@contextlib.contextmanager
def _started(command: Sequence[str], replicas: int) -> Iterator[Replicas]:
    """Starts the replicas; when the block ends, they and everything they started have ended."""
    addresses = _free_addresses(replicas)
    job: Replicas = []
    try:
        for number in range(replicas):
            with contextlib.ExitStack() as stack:
                output = stack.enter_context(_log_of(number).open("ab")) if number else None
                process = subprocess.Popen(  # noqa: S603 (the command is the compiled spec's)
                    [*SUPERVISOR, *command],
                    env={**os.environ, **_cluster_variables(addresses, number)},
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output and subprocess.STDOUT,
                    start_new_session=True,
                )
            job.append(process)
        yield job
    finally:
        _stop(job)


def _wait(job: Replicas) -> int | None:
    """Waits for all replicas, or for the first that fails; its number."""
    while any(replica.poll() is None for replica in job):
        if any(replica.poll() for replica in job):
            time.sleep(SETTLE_SECONDS)
            break
        time.sleep(POLL_SECONDS)
    failed = [number for number, replica in enumerate(job) if replica.poll()]
    return min(failed, key=lambda number: not _died(job[number].returncode), default=None)


def _died(code: int) -> bool:
    """Whether a signal ended the process, as when a machine goes away."""
    return code < 0 or code > SIGNALLED


def _end(code: int) -> str:
    number = -code if code < 0 else code - SIGNALLED
    if number not in signal.valid_signals():
        return f"ended with exit code {code}"
    memory = ", most likely because memory ran out" if number == signal.SIGKILL else ""
    return f"died ({signal.strsignal(number)}, exit code {SIGNALLED + number}{memory})"


def _stop(job: Replicas) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    for kind in (signal.SIGTERM, signal.SIGKILL):
        for replica in job:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(replica.pid, kind)
        for replica in job:
            with contextlib.suppress(subprocess.TimeoutExpired):
                replica.wait(max(0.0, deadline - time.monotonic()))
    for replica in job:
        replica.wait()


def _cluster_variables(addresses: Sequence[str], number: int) -> dict[str, str]:
    """TF_CONFIG and CLUSTER_SPEC of a replica, as Vertex AI sets them for two worker pools."""
    chief, *workers = addresses

    def variable(first: str, second: str) -> str:
        cluster: dict[str, Any] = {first: [chief]} | ({second: workers} if workers else {})
        task = {"type": second if number else first, "index": max(number - 1, 0)}
        return json.dumps({"cluster": cluster, "environment": "cloud", "task": task})

    return {
        "TF_CONFIG": variable("chief", "worker"),
        "CLUSTER_SPEC": variable("workerpool0", "workerpool1"),
    }


def _free_addresses(count: int) -> list[str]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


def _log_of(number: int) -> Path:
    """The log of a replica but the first, which writes to this process's own output."""
    return Path(f"replica-{number}.log")


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201 - the step's own output


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
