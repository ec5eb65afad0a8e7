"""A pipeline of a test, compiled and run by kfp's own local runner."""

from pathlib import Path
from typing import Any

import yaml
from kfp import compiler, components, local

from pipeline.specs import spec as specs


def runnable(pipeline: Any, folder: Path) -> Any:
    """Compiles ``pipeline`` into ``folder`` and loads it without the installation of packages.

    The packages are those of this environment, so the pins of the steps are already there.
    """
    path = folder / "pipeline.yaml"
    compiler.Compiler().compile(pipeline, str(path))
    stripped = specs.map_containers(
        specs.load(path), lambda _label, container: specs.strip_preamble(container)
    )
    path.write_text(yaml.safe_dump(stripped))
    return components.load_component_from_file(str(path))


def start(root: Path) -> None:
    """Lets the pipelines that are called from here on leave their outputs under ``root``."""
    runner = local.SubprocessRunner(use_venv=False)
    local.init(runner, pipeline_root=str(root), raise_on_error=True)
