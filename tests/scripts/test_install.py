"""Locks are installed by uv with pip's settings, and by pip where uv fails."""

import subprocess
from pathlib import Path

import pytest

from pipeline.compiler import PROJECT

SETTINGS = {
    ":env:.index-url": "file:///mine",
    "global.index-url": "file:///everybodys",
    "global.extra-index-url": "file:///one file:///two",
}
CONFIG = "\n".join(f"{name}='{value}'" for name, value in SETTINGS.items())
PYTHON = f"""#!/bin/sh
if [ "$3" = config ]; then
    echo "{CONFIG}"
else
    echo "pip: $*"
fi
"""
UV = """#!/bin/sh
echo "uv: $UV_DEFAULT_INDEX $UV_INDEX: $*"
exit %s
"""


def installed(venv: Path, uv_ends_with: int) -> list[str]:
    (venv / "bin").mkdir()
    for name, script in (("python", PYTHON), ("uv", UV % uv_ends_with)):
        (venv / "bin" / name).write_text(script)
        (venv / "bin" / name).chmod(0o755)
    done = subprocess.run(
        [PROJECT / "scripts" / "install.sh", venv, "a.lock", "b.lock"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_uv_gets_the_locks_and_pips_settings_the_users_own_first(tmp_path: Path) -> None:
    (line,) = installed(tmp_path, uv_ends_with=0)
    assert line.startswith("uv: file:///mine file:///one file:///two: pip install")
    assert line.endswith("--require-hashes --no-deps --requirement a.lock --requirement b.lock")


@pytest.mark.parametrize("code", [1, 2])
def test_pip_takes_over_where_uv_fails(tmp_path: Path, code: int) -> None:
    _, line = installed(tmp_path, uv_ends_with=code)
    assert line.startswith("pip: -m pip install")
    assert line.endswith("--require-hashes --no-deps --requirement a.lock --requirement b.lock")
