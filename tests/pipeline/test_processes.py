import os
import sys
import time
from pathlib import Path

import pytest

from pipeline.processes import read_lines, running


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
    monkeypatch.setattr("pipeline.processes.STOP_SECONDS", 0.3)
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
