"""The replicas of a job as processes, with commands that record what they were given."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.local import cluster

NUMBER = (
    "import json, os, pathlib, signal, sys, time\n"
    "task = json.loads(os.environ['TF_CONFIG'])['task']\n"
    "number = task['index'] + (task['type'] == 'worker')\n"
)


def start(directory: Path, code: str, replicas: int = 2) -> "subprocess.Popen[str]":
    command = [sys.executable, "-S", "-P", cluster.__file__, "--replicas", str(replicas), "--"]
    return subprocess.Popen(
        [*command, sys.executable, "-S", "-c", NUMBER + code],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run(directory: Path, code: str, replicas: int = 2) -> tuple[int, list[str]]:
    process = start(directory, code, replicas)
    said, _ = process.communicate(timeout=60)
    return process.returncode, said.splitlines()


@pytest.mark.parametrize("replicas", [1, 3])
def test_each_replica_gets_its_place_as_on_vertex_and_only_the_chief_is_heard(
    tmp_path: Path, replicas: int
) -> None:
    record = (
        "pathlib.Path(f'{number}.json').write_text(json.dumps(dict(os.environ)))\n"
        "print('replica', number)"
    )
    assert run(tmp_path, record, replicas) == (0, ["replica 0"])
    found: list[dict[str, Any]] = [
        json.loads(path.read_text()) for path in sorted(tmp_path.glob("*.json"))
    ]
    configs = [json.loads(environment["TF_CONFIG"]) for environment in found]
    specs = [json.loads(environment["CLUSTER_SPEC"]) for environment in found]
    worker_tasks = [{"type": "worker", "index": index} for index in range(replicas - 1)]
    assert [config["task"] for config in configs] == [{"type": "chief", "index": 0}, *worker_tasks]
    pools = ["workerpool0", *["workerpool1"] * (replicas - 1)]
    assert [spec["task"]["type"] for spec in specs] == pools
    (everybody,) = {json.dumps(config["cluster"]) for config in configs}
    addresses = list(json.loads(everybody).values())
    assert len({address for pool in addresses for address in pool}) == replicas
    assert list(specs[0]["cluster"].values()) == addresses
    for number in range(1, replicas):
        assert (tmp_path / f"replica-{number}.log").read_text() == f"replica {number}\n"


def test_the_job_starts_again_when_a_replica_dies(tmp_path: Path) -> None:
    code = (
        "mine, chief = pathlib.Path(str(number)), pathlib.Path('0')\n"
        "first = not mine.exists(); mine.touch()\n"
        "while number and not chief.exists(): time.sleep(0.05)\n"
        "if number and first: os.kill(os.getpid(), signal.SIGKILL)\n"
        "while first: time.sleep(1)\n"
        "print('done', number)"
    )
    again = (
        "replica 1 died (Killed, exit code 137, most likely because memory ran out); the job "
        "starts again (1 of 3 times)"
    )
    assert run(tmp_path, code) == (0, [again, "done 0"])


def test_an_error_of_its_own_fails_the_job_with_the_replicas_last_lines(tmp_path: Path) -> None:
    code = "if number: sys.exit('no such file')\ntime.sleep(60)"
    assert run(tmp_path, code) == (1, ["replica 1 ended with exit code 1", "no such file"])


@pytest.mark.parametrize("end", [subprocess.Popen.terminate, subprocess.Popen.kill])
def test_nothing_is_left_of_a_job_that_is_stopped_or_killed(
    tmp_path: Path, end: Callable[["subprocess.Popen[str]"], None]
) -> None:
    code = (
        "print(os.getpid(), file=open(f'{number}.new', 'w'));"
        "os.rename(f'{number}.new', f'{number}.pid'); time.sleep(60)"
    )
    job = start(tmp_path, code)
    deadline = time.monotonic() + 60
    while len(pids := list(tmp_path.glob("*.pid"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    end(job)
    assert job.wait(30) == (143 if end is subprocess.Popen.terminate else -9)
    for path in pids:
        stat = Path(f"/proc/{int(path.read_text())}/stat")
        while stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z":
            assert time.monotonic() < deadline
            time.sleep(0.02)
