"""Definition to ``compiled/*.yaml``, the same bytes from any checkout, user and time."""

import difflib
import functools
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from pipeline import files
from pipeline.errors import CommandError, UsageError
from pipeline.specs import spec as specs
from pipeline.specs import worker_pools
from pipeline.specs.machine import Machine
from pipeline.steps import STEPS

NAME: Final = "fashion-mnist"
PROJECT: Final = Path(__file__).resolve().parent.parent
COMPILED: Final = PROJECT / "compiled"
PIPELINE: Final = "pipeline.yaml"
DISTRIBUTED_PIPELINE: Final = "pipeline-distributed.yaml"
DISTRIBUTED: Final = Machine(replicas=2)
"""What the training of the committed distributed pipeline runs on."""

ARGUMENT_BYTES: Final = 131_071
"""Linux' MAX_ARG_STRLEN less the closing zero: the longest string a command may hold."""
EXECUTOR_INPUT_BYTES: Final = 8_192
"""Room for the executor input, which takes the place of a placeholder in a CustomJob's argument."""
DIFF_LINES: Final = 40


def write(output: Path, image: str = "") -> list[Path]:
    """Compiles everything into a directory; with the URI of an image, no step installs packages."""
    written = []
    for name, text in build(image).items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, text)
        written.append(path)
    return written


def build(image: str = "") -> dict[str, str]:
    """Text of each compiled file by its path under ``compiled/``."""
    return {name: _text(*compiled) for name, compiled in _build(image).items()}


def build_distributed(machine: Machine, image: str = "") -> str:
    """Canonical YAML of the pipeline whose training is a CustomJob.

    Raises:
        UsageError: There are no such machines.
        CommandError: The job's argument is longer than Linux accepts.
    """
    from pipeline.definition import pipeline_around
    from pipeline.specs.custom_job import train_on

    return compile_one(pipeline_around(train_on(machine)), image)


def compile_one(target: Any, image: str = "") -> str:
    """Canonical YAML of a pipeline or component.

    Raises:
        CommandError: A command is longer than Linux accepts.
    """
    return _text(*_compile(target, image))


@functools.cache
def _build(image: str) -> dict[str, tuple[str, specs.Spec]]:
    """What ``_compile`` makes of each target, by the path of its file under ``compiled/``.

    A process compiles the same each time: it keeps the modules that it has imported.
    """
    from pipeline.definition import fashion_mnist, pipeline_around
    from pipeline.specs.custom_job import train_on

    targets = {
        PIPELINE: fashion_mnist,
        DISTRIBUTED_PIPELINE: pipeline_around(train_on(DISTRIBUTED)),
        **{f"components/{step.name}.yaml": step.component for step in STEPS},
    }
    return {name: _compile(target, image) for name, target in targets.items()}


def _compile(target: Any, image: str) -> tuple[str, specs.Spec]:
    """The comments on top of what KFP makes of a target, and the canonical spec."""
    from kfp.compiler import Compiler

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "spec.yaml"
        Compiler().compile(target, str(path))
        text = path.read_text()
        spec = worker_pools.inline(specs.titled(specs.canonical(specs.load(path))))
    if image:
        spec = with_image(spec, image)
    check_steps(spec)
    check_sizes(spec)
    header = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    # The keys of a struct are in no order there.
    return re.sub(r" \[Default: \{.+\}\]", "", header), spec


def _text(header: str, spec: specs.Spec) -> str:
    return header + yaml.safe_dump(spec, sort_keys=True, width=100)


def with_image(spec: specs.Spec, image: str) -> specs.Spec:
    """The spec whose Python steps run in ``image``, with nothing to install at their start."""
    from components.embedding import BASE_IMAGE

    def move(container: specs.Spec, key: str) -> specs.Spec:
        if container[key] != BASE_IMAGE:
            return container
        return {**specs.strip_preamble(container), key: image}

    def change(_label: str, container: specs.Spec) -> specs.Spec:
        return worker_pools.map_pools(move(container, "image"), lambda own: move(own, "image_uri"))

    return specs.map_containers(spec, change)


def check_steps(spec: specs.Spec) -> None:
    """Refuses a pipeline of this project with a task that is not in the table of the steps."""
    if spec["pipelineInfo"]["name"] != NAME:
        return
    for task, step in specs.step_tasks(spec).items():
        if step not in specs.NAMES:
            raise CommandError(f"the task {task} is not in pipeline/steps.py; add its step")


def check_sizes(spec: specs.Spec) -> None:
    """Refuses a command with an argument that Linux would not start."""
    for label, executor in spec["deploymentSpec"]["executors"].items():
        container = executor.get("container", {})
        for text in [*container.get("command", []), *container.get("args", [])]:
            inputs = text.count(worker_pools.ESCAPED_INPUT) * EXECUTOR_INPUT_BYTES
            if (size := len(text.encode()) + inputs) > ARGUMENT_BYTES:
                raise CommandError(
                    f"{label}: its embedded code takes {size:,} bytes of one argument and Linux "
                    f"allows {ARGUMENT_BYTES:,}; embed fewer modules"
                )


def check(committed: Path = COMPILED) -> None:
    """Compares the committed files with what the source compiles to.

    Raises:
        UsageError: A file is stale, missing or left over; the text holds a short diff.
    """
    built = {name: spec for name, (_, spec) in _build("").items()}
    stale = [diff for name, spec in built.items() if (diff := difference(committed, name, spec))]
    known = {committed / name for name in built}
    left_over = sorted(set(committed.rglob("*.yaml")) - known)
    stale += [f"{path.relative_to(committed)}: no source compiles to it\n" for path in left_over]
    if stale:
        raise UsageError(f"compiled/ is stale: run `make compile`\n\n{''.join(stale)}".rstrip())


def difference(committed: Path, name: str, spec: specs.Spec) -> str:
    """A short diff between a committed file and what it would be now; empty where there is none."""
    path = committed / name
    if not path.exists():
        return f"{name}: missing\n"
    before, after = _readable(specs.load(path)), _readable(spec)
    lines = list(
        difflib.unified_diff(before, after, f"compiled/{name}", "source", n=1, lineterm="")
    )
    more = f"... {len(lines) - DIFF_LINES} more lines\n" if len(lines) > DIFF_LINES else ""
    return "".join(f"{line}\n" for line in lines[:DIFF_LINES]) + more


def _readable(spec: specs.Spec) -> list[str]:
    """The lines of a spec with its code unpacked, multi-line strings as they are."""

    def lines(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, dict):
            for key, item in sorted(value.items()):
                yield from lines(item, f"{path}.{key}" if path else str(key))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from lines(item, f"{path}[{index}]")
        else:
            first, *rest = str(value).split("\n")
            yield f"{path}: {first}"
            yield from rest

    return list(lines(specs.unpacked(spec), ""))
