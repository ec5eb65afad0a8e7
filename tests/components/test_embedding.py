"""The embedded code of each step, run where the checkout cannot be imported."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from pipeline.compiler import COMPILED
from pipeline.specs import archives
from pipeline.specs import spec as specs

STEPS = sorted(path.stem for path in (COMPILED / "components").glob("*.yaml"))
LIGHT = {"ingest", "decode", "find_champion", "upload"}

IMPORT_ALL = """
import importlib, pkgutil, sys, components
names = [m.name for m in pkgutil.walk_packages(components.__path__, "components.")]
for name in names:
    importlib.import_module(name)
print(components.__file__)
print(*names)
print(*{'tensorflow', 'keras'} & set(sys.modules))
"""


def embedded(name: str, into: Path) -> list[str]:
    spec = specs.load(COMPILED / "components" / f"{name}.yaml")
    containers = [each["container"] for each in spec["deploymentSpec"]["executors"].values()]
    modules = [archives.ARCHIVE.search(str(container["command"][-1])) for container in containers]
    (found,) = filter(None, modules)
    files = dict(archives.unpack(found[2]))
    for file, content in files.items():
        (into / file).parent.mkdir(parents=True, exist_ok=True)
        (into / file).write_bytes(content)
    return sorted(files)


@pytest.mark.parametrize("name", STEPS)
def test_every_embedded_module_imports_without_the_checkout_and_tensorflow_only_if_needed(
    name: str, tmp_path: Path
) -> None:
    embedded(name, tmp_path)
    # Without `site` no .pth file is read, so the editable install of the checkout is out of reach.
    path = os.pathsep.join([str(tmp_path), sysconfig.get_paths()["purelib"]])
    done = subprocess.run(
        [sys.executable, "-S", "-c", IMPORT_ALL],
        env={**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    where, modules, heavy = done.stdout.split("\n")[-4:-1]
    assert Path(where).is_relative_to(tmp_path)
    assert modules
    assert name not in LIGHT or not heavy


@pytest.mark.parametrize("name", STEPS)
def test_a_step_carries_nothing_of_another_step(name: str, tmp_path: Path) -> None:
    files = embedded(name, tmp_path)
    folders = {Path(file).parts[1] for file in files if len(Path(file).parts) > 2}
    assert folders <= {"dataset", {"find_champion": "upload"}.get(name, name)}
    assert not [file for file in files if file.endswith("component.py")]
