"""Definition to ``compiled/*.yaml``, the same bytes from any checkout, user and time."""

import difflib
import functools
import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import yaml

from components.dataset.manifest import file_digest
from pipeline import checkout, files
from pipeline.errors import CommandError, UsageError
from pipeline.specs import shared_code, worker_pools
from pipeline.specs import spec as specs
from pipeline.specs.machine import Machine
from pipeline.steps import STEPS

NAME: Final = "fashion-mnist"
PROJECT: Final = checkout.PROJECT
COMPILED: Final = PROJECT / "compiled"
PIPELINE: Final = "pipeline.yaml"
KUBEFLOW_PIPELINE: Final = "pipeline-kubeflow.yaml"
DISTRIBUTED_PIPELINE: Final = "pipeline-distributed.yaml"
TRACKING: Final = "tracking_uri"
"""The parameter of a pipeline that runs as a workflow of Argo, whose size is limited."""
DISTRIBUTED: Final = Machine(replicas=2)
"""What the training of the committed distributed pipeline runs on."""

ARGUMENT_BYTES: Final = 131_071
"""Linux' MAX_ARG_STRLEN less the closing zero: the longest string a command may hold."""
EXECUTOR_INPUT_BYTES: Final = 8_192
"""Room for the executor input, which takes the place of a placeholder in a CustomJob's argument."""
DIFF_LINES: Final = 40
SOURCES: Final = ("components", "pipeline", "serving", "compiled")
"""Folders whose files decide whether ``compiled/`` is what the source compiles to."""


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
    return {name: compile_one(target, image) for name, target in _targets().items()}


def build_distributed(machine: Machine, image: str = "") -> str:
    """Canonical YAML of the pipeline whose training is a CustomJob.

    Raises:
        UsageError: There are no such machines.
        CommandError: The job's argument is longer than Linux accepts.
    """
    return compile_one(_distributed(machine), image)


def build_kubeflow(place: Any, image: str = "") -> str:
    """Canonical YAML of the pipeline at a ``pipeline.places.Place`` made from ``KUBEFLOW``.

    Raises:
        CommandError: A command is longer than Linux accepts.
    """
    from pipeline.definition import pipeline_at

    return compile_one(pipeline_at(place), image)


def _distributed(machine: Machine) -> Any:
    from pipeline.definition import pipeline_at
    from pipeline.places import VERTEX
    from pipeline.specs.custom_job import train_on

    return pipeline_at(VERTEX._replace(train=train_on(machine)))


@functools.cache
def _targets() -> dict[str, Any]:
    """What is compiled, by the path of its file under ``compiled/``."""
    from pipeline.definition import fashion_mnist, fashion_mnist_on_kubeflow

    return {
        PIPELINE: fashion_mnist,
        DISTRIBUTED_PIPELINE: _distributed(DISTRIBUTED),
        KUBEFLOW_PIPELINE: fashion_mnist_on_kubeflow,
        **{f"components/{step.name}.yaml": step.component for step in STEPS},
    }


def _spec(target: Any, image: str = "") -> specs.Spec:
    """The canonical spec of a target."""
    from google.protobuf import json_format

    made = json_format.MessageToJson(target.pipeline_spec, indent=None, sort_keys=True)
    spec = worker_pools.inline(specs.titled(specs.canonical(json.loads(made))))
    if image:
        spec = with_image(spec, image)
    check_steps(spec)
    check_sizes(spec)
    if TRACKING in specs.declared(spec):
        spec = shared_code.share(shared_code.lean(spec))
        check_sizes(spec)
    return spec


def compile_one(target: Any, image: str = "") -> str:
    """Canonical YAML of a pipeline or component, below the comments that KFP writes on top.

    Raises:
        CommandError: A command is longer than Linux accepts.
    """
    from kfp.compiler import Compiler

    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "spec.yaml"
        Compiler().compile(target, str(path))
        lines = path.read_text().splitlines(keepends=True)
    header = "".join(line for line in lines if line.startswith("#"))
    # The keys of a struct are in no order there.
    header = re.sub(r" \[Default: \{.+\}\]", "", header)
    return header + yaml.safe_dump(_spec(target, image), sort_keys=True, width=100)


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
    built = {name: _spec(target) for name, target in _targets().items()}
    stale = [diff for name, spec in built.items() if (diff := difference(committed, name, spec))]
    known = {committed / name for name in built}
    left_over = sorted(set(committed.rglob("*.yaml")) - known)
    stale += [f"{path.relative_to(committed)}: no source compiles to it\n" for path in left_over]
    if stale:
        raise UsageError(f"compiled/ is stale: run `make compile`\n\n{''.join(stale)}".rstrip())


def check_changed(passed: Path, check: Callable[[], None]) -> None:
    """``check``, unless no file has changed since it passed last; ``passed`` remembers that.

    Raises:
        UsageError: As ``check``.
    """
    digest = _digest()
    if passed.is_file() and passed.read_text() == digest:
        return
    check()
    passed.parent.mkdir(parents=True, exist_ok=True)
    files.write(passed, digest)


def _digest() -> str:
    """SHA-256 over the files that ``check`` depends on, and the versions of Python and KFP."""
    digest = hashlib.sha256(f"{sys.version} {version('kfp')}".encode())
    sources = (path for folder in SOURCES for path in (PROJECT / folder).rglob("*.*"))
    for path in sorted([PROJECT / "requirements.lock", *sources]):
        if "__pycache__" not in path.parts and path.is_file():
            digest.update(f"{path} {file_digest(path)}\n".encode())
    return digest.hexdigest()


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
