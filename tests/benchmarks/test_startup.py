import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.startup import MODULES
from components.embedding import COMPONENTS

FOREIGN = ("components", "kfp", "typing", *sys.stdlib_module_names)


def imported(path: Path) -> Iterator[str]:
    """The packages of others that a module imports, in its functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        yield from (name for name in names if name.split(".")[0] not in FOREIGN)


@pytest.mark.parametrize("step", ["decode", "train", "evaluate"])
def test_what_is_measured_is_all_that_the_step_imports(step: str) -> None:
    modules = (COMPONENTS / step).rglob("*.py")
    needed = {name for path in modules for name in imported(path)}
    check = f"import {MODULES[step]}, json, sys; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert needed - {*json.loads(done.stdout)} == set()
