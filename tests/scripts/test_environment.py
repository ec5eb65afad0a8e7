"""The environment that set-up makes belongs to the folder that it is in."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from pipeline.compiler import PROJECT

NAME = """my python3 "proj's" übung"""


@pytest.fixture
def moved(tmp_path: Path) -> Path:
    """A copy of the project; only its packages are links to the ones of this environment."""
    project, site = tmp_path / NAME, Path(sysconfig.get_path("purelib"))
    if not any(site.glob("__editable__.*.pth")):
        pytest.skip("this environment was not made by `make setup`")
    environment = project / ".venv"
    packages = environment / site.relative_to(sys.prefix)
    packages.mkdir(parents=True)
    for path in site.iterdir():
        (packages / path.name).symlink_to(path)
    shutil.copytree(Path(sys.prefix) / "bin", environment / "bin", symlinks=True)
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", environment)
    for name in ("components", "pipeline", "serving"):
        shutil.copytree(PROJECT / name, project / name)
    return project


def test_a_moved_or_copied_project_runs_its_own_code(moved: Path, tmp_path: Path) -> None:
    with (moved / "pipeline" / "__init__.py").open("a") as file:
        file.write("print('the copy')\n")
    done = subprocess.run(
        [moved / ".venv" / "bin" / "fashion-mnist", "--version"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("the copy\nfashion-mnist ")
