"""A step's process: its lines and its end."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.local.processes import read_lines, running

WITH_A_CHILD = (
    "import os, subprocess; child = subprocess.Popen(['sleep', '60']);"
    "print(os.getpid(), child.pid, flush=True); child.wait()"
)


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-S", "-c", code]


def alive(pid: int) -> bool:
    for _ in range(100):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return False
        time.sleep(0.02)
    return True


def test_lines_come_whole_with_progress_marked_and_standard_error(tmp_path: Path) -> None:
    code = (
        r"import sys, time; sys.stdout.write('a\nhalf\rfull\rb\r\n'); sys.stdout.flush();"
        r"raw = 'ä→\n'.encode(); out = sys.stdout.buffer;"
        r"[(out.write(raw[i:i+1]), out.flush(), time.sleep(0.01)) for i in range(len(raw))];"
        r"sys.stderr.write('last'); sys.exit(7)"
    )
    with running(python(code), os.environ, tmp_path) as process:
        lines = list(read_lines(process))
    assert lines == [
        ("a", False),
        ("half", True),
        ("full", True),
        ("b", False),
        ("ä→", False),
        ("last", False),
    ]
    assert process.returncode == 7


def test_a_process_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.local.processes.STOP_SECONDS", 0.3)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up'); time.sleep(60)"
    with (
        pytest.raises(KeyboardInterrupt),
        running(python(code), os.environ, tmp_path) as process,
    ):
        next(read_lines(process))
        raise KeyboardInterrupt
    assert process.returncode == -9


def test_everything_a_killed_process_had_started_ends_with_it() -> None:
    run = (
        "import os, pathlib, sys; from pipeline.local.processes import read_lines, running\n"
        f"command = [sys.executable, '-c', {WITH_A_CHILD!r}]\n"
        "with running(command, os.environ, pathlib.Path()) as process:\n"
        "    for line, _ in read_lines(process): print(process.pid, line, flush=True)"
    )
    parent = subprocess.Popen([sys.executable, "-c", run], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 3
    parent.kill()
    parent.wait()
    assert not any(alive(pid) for pid in pids)
