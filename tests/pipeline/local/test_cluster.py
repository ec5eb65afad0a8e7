"""The replicas of a job as processes, with commands that say what they were given."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.local import cluster

ANSWER = (
    "import json, os, pathlib;"
    "task = json.loads(os.environ['TF_CONFIG'])['task'];"
    "number = task['index'] + (task['type'] == 'worker');"
)
RECORD = f"{ANSWER} pathlib.Path(f'{{number}}.json').write_text(json.dumps(dict(os.environ)))"


def run(directory: Path, code: str, replicas: int = 2) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", cluster.__file__, "--replicas", str(replicas), "--"]
    return subprocess.run(
        [*command, sys.executable, "-c", code],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def environments(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(directory.glob("[0-9].json"))]


def test_each_replica_is_told_its_place_as_vertex_tells_it(tmp_path: Path) -> None:
    assert run(tmp_path, RECORD, replicas=3).returncode == 0
    configs = [json.loads(found["TF_CONFIG"]) for found in environments(tmp_path)]
    specs = [json.loads(found["CLUSTER_SPEC"]) for found in environments(tmp_path)]
    assert [config["task"] for config in configs] == [
        {"type": "chief", "index": 0},
        {"type": "worker", "index": 0},
        {"type": "worker", "index": 1},
    ]
    assert [spec["task"]["type"] for spec in specs] == [
        "workerpool0",
        "workerpool1",
        "workerpool1",
    ]
    (cluster_of_all,) = {json.dumps(config["cluster"]) for config in configs}
    chief, workers = json.loads(cluster_of_all).values()
    assert len({*chief, *workers}) == 3
    assert specs[0]["cluster"] == {"workerpool0": chief, "workerpool1": workers}


def test_one_replica_is_a_cluster_of_one(tmp_path: Path) -> None:
    assert run(tmp_path, RECORD, replicas=1).returncode == 0
    (found,) = environments(tmp_path)
    assert list(json.loads(found["TF_CONFIG"])["cluster"]) == ["chief"]


def test_only_the_chief_is_heard(tmp_path: Path) -> None:
    done = run(tmp_path, f"{ANSWER} print('replica', number)")
    assert done.stdout == "replica 0\n"
    assert (tmp_path / "replica-1.log").read_text() == "replica 1\n"


def test_the_job_starts_again_when_a_replica_dies(tmp_path: Path) -> None:
    code = (
        f"{ANSWER} import signal, time\n"
        "mine, chief = pathlib.Path(str(number)), pathlib.Path('0')\n"
        "first = not mine.exists(); mine.touch()\n"
        "while number and not chief.exists(): time.sleep(0.1)\n"
        "if number and first: os.kill(os.getpid(), signal.SIGKILL)\n"
        "while first: time.sleep(1)\n"
        "print('done', number)"
    )
    done = run(tmp_path, code)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        "replica 1 died; the job starts again (1 of 3 times)",
        "done 0",
    ]


def test_a_shell_says_of_its_child_that_it_died(tmp_path: Path) -> None:
    code = f"{ANSWER} import subprocess, sys; sys.exit(137 if number else 0)"
    done = run(tmp_path, code)
    assert done.returncode == 137
    assert done.stdout.count("starts again") == cluster.RESTARTS


def test_an_error_of_its_own_fails_the_job_with_the_replicas_last_words(tmp_path: Path) -> None:
    code = f"{ANSWER} import sys, time\nif number: sys.exit('no such file')\ntime.sleep(60)"
    begun = time.monotonic()
    done = run(tmp_path, code)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["replica 1 ended with exit code 1", "no such file"]
    assert time.monotonic() - begun < 30


def test_nothing_is_left_of_a_job_that_is_stopped(tmp_path: Path) -> None:
    code = f"{ANSWER} import time; pathlib.Path(f'{{number}}.pid').write_text(str(os.getpid()))"
    command = [sys.executable, "-P", cluster.__file__, "--replicas", "2", "--"]
    process = subprocess.Popen(
        [*command, sys.executable, "-c", f"{code}; time.sleep(600)"], cwd=tmp_path
    )
    while len(pids := [path.read_text() for path in tmp_path.glob("*.pid")]) < 2 or "" in pids:
        time.sleep(0.1)
    process.terminate()
    assert process.wait(30) == 143
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_replicas_end_with_a_job_that_was_killed(tmp_path: Path) -> None:
    code = (
        f"{ANSWER} import time;"
        "print(os.getpid(), file=open(f'{number}.new', 'w'));"
        "os.rename(f'{number}.new', f'{number}.pid'); time.sleep(60)"
    )
    command = [sys.executable, "-P", cluster.__file__, "--replicas", "2", "--"]
    job = subprocess.Popen([*command, sys.executable, "-c", code], cwd=tmp_path)
    deadline = time.monotonic() + 60
    while len(pids := list(tmp_path.glob("*.pid"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    job.kill()
    job.wait()
    for path in pids:
        stat = Path(f"/proc/{int(path.read_text())}/stat")
        while stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z":
            assert time.monotonic() < deadline
            time.sleep(0.02)
