import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.local.processes import read_lines, running


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


def lines_of(code: str, directory: Path) -> list[tuple[str, bool]]:
    with running(python(code), os.environ, directory) as process:
        return list(read_lines(process))


def test_lines_come_whole_and_progress_is_told_apart(tmp_path: Path) -> None:
    code = r"import sys; sys.stdout.write('a\nhalf\rfull\rb\r\nlast')"
    assert lines_of(code, tmp_path) == [
        ("a", False),
        ("half", True),
        ("full", True),
        ("b", False),
        ("last", False),
    ]


def test_a_line_cut_in_the_middle_of_a_character_is_put_together(tmp_path: Path) -> None:
    code = (
        "import sys, time; out = sys.stdout.buffer; raw = 'ä→\\n'.encode();"
        "[(out.write(raw[i:i+1]), out.flush(), time.sleep(0.02)) for i in range(len(raw))]"
    )
    assert lines_of(code, tmp_path) == [("ä→", False)]


def test_standard_error_is_part_of_the_output(tmp_path: Path) -> None:
    code = "import sys; print('oh', file=sys.stderr)"
    assert lines_of(code, tmp_path) == [("oh", False)]


def test_the_exit_code_is_known_after_the_block(tmp_path: Path) -> None:
    with running(python("raise SystemExit(7)"), os.environ, tmp_path) as process:
        list(read_lines(process))
    assert process.returncode == 7


def test_an_interrupted_block_leaves_no_process_of_the_group(tmp_path: Path) -> None:
    child = "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid); p.wait()"
    pids = []
    with (
        pytest.raises(KeyboardInterrupt),
        running(python(child), os.environ, tmp_path) as process,
    ):
        pids = [process.pid, int(next(read_lines(process))[0])]
        raise KeyboardInterrupt
    assert len(pids) == 2
    assert not any(alive(pid) for pid in pids)


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


def alive(pid: int) -> bool:
    for _ in range(50):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return False
        time.sleep(0.02)
    return True


def test_what_a_killed_process_had_started_ends_with_it(tmp_path: Path) -> None:
    step = (
        "import subprocess, sys; p = subprocess.Popen(['sleep', '60']);"
        "print(__import__('os').getpid(), p.pid, flush=True); p.wait()"
    )
    run = (
        "import os, pathlib, sys; from pipeline.local.processes import read_lines, running\n"
        f"with running([sys.executable, '-c', {step!r}], os.environ, pathlib.Path()) as process:\n"
        "    for line, _ in read_lines(process): print(process.pid, line, flush=True)"
    )
    parent = subprocess.Popen([sys.executable, "-c", run], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 3
    parent.kill()
    parent.wait()
    assert not any(alive(pid) for pid in pids)


def test_a_lock_is_held_until_the_last_of_its_processes_has_ended(tmp_path: Path) -> None:
    def free() -> bool:
        with (tmp_path / "lock").open("w") as other:
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code = "import time; print('up'); time.sleep(60)"
        with running(python(code), os.environ, tmp_path, [lock.fileno()]) as process:
            next(read_lines(process))
            lock.close()
            # The supervisor alone has ended; what it watched over still may write.
            os.kill(process.pid, 9)
            process.wait()
            assert not free()
    deadline = time.monotonic() + 10
    while not free():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_command_ended_by_a_signal_has_the_code_of_a_shell(tmp_path: Path) -> None:
    code = "import os; os.kill(os.getpid(), 15)"
    with running(python(code), os.environ, tmp_path) as process:
        list(read_lines(process))
    assert process.returncode == 128 + 15
