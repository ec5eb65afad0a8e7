"""Compiled specs as plain dictionaries: read them, walk them, change them.

Nothing here changes its argument; every function returns a new spec.
"""

import graphlib
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from components.dataset.redaction import one_line
from pipeline.errors import UsageError
from pipeline.specs.archives import ARCHIVE, SHARED, Files, pack, unpack, unpack_shared
from pipeline.steps import STEPS

Spec = dict[str, Any]

CODE: Final = "code"
"""The task that only hands on the code of all steps."""
SAFE_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
REQUIRED: Final = ("pipelineInfo.name", "root.dag.tasks", "deploymentSpec.executors", "components")
NAMES: Final = tuple(step.name for step in STEPS)


def load(path: Path) -> Spec:
    """Reads a compiled YAML file.

    Raises:
        UsageError: It does not exist, or is not one.
    """
    if not path.is_file():
        raise UsageError(f"{path}: there is no such file")
    try:
        spec = yaml.load(path.read_text(), Loader=SAFE_LOADER)  # noqa: S506
    except (yaml.YAMLError, ValueError, LookupError, AttributeError) as error:
        raise UsageError(f"{path} is not YAML ({one_line(error)}); compile it again") from error
    for dotted in REQUIRED:
        found = spec
        for key in dotted.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        if not found:
            raise UsageError(f"{path} is not a compiled pipeline: it has no {dotted}")
    return spec  # type: ignore[no-any-return]


def declared(spec: Spec) -> Spec:
    """The definition of each parameter of a pipeline, by its name."""
    definitions: Spec = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    return definitions


def digest(spec: Spec) -> str:
    """Hexadecimal SHA-256 of what a spec says, whatever its formatting and compression."""
    text = yaml.dump(unpacked(spec), sort_keys=True, Dumper=yaml.CSafeDumper)
    return hashlib.sha256(text.encode()).hexdigest()


def map_strings(value: Any, change: Callable[[str], str]) -> Any:
    """A copy of a JSON value with every string in it, at any depth, changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [map_strings(item, change) for item in value]
    if isinstance(value, dict):
        return {key: map_strings(item, change) for key, item in value.items()}
    return value


def map_containers(spec: Spec, change: Callable[[str, Spec], Spec]) -> Spec:
    """A copy of a spec with ``change(executor label, container)`` for each container."""
    executors = {
        label: {**executor, "container": change(label, executor["container"])}
        if "container" in executor
        else executor
        for label, executor in spec["deploymentSpec"]["executors"].items()
    }
    return {**spec, "deploymentSpec": {**spec["deploymentSpec"], "executors": executors}}


def without_cache(spec: Spec) -> Spec:
    """A copy of a spec whose tasks all run again."""

    def change(component: Spec) -> Spec:
        if "dag" not in component:
            return component
        off = {"cachingOptions": {"enableCache": False}}
        tasks = {name: {**task, **off} for name, task in component["dag"]["tasks"].items()}
        return {**component, "dag": {**component["dag"], "tasks": tasks}}

    components = {name: change(component) for name, component in spec["components"].items()}
    return {**spec, "root": change(spec["root"]), "components": components}


def strip_preamble(container: Spec) -> Spec:
    """The container without the ``pip install`` in front of its own command."""
    command = container.get("command", [])
    if command[:2] != ["sh", "-c"] or "pip install" not in "".join(command[2:3]):
        return container
    return {**container, "command": command[3:]}


def canonical(spec: Spec) -> Spec:
    """The spec with its archives packed so that equal code gives equal bytes."""
    return _map_archives(spec, pack)


def unpacked(spec: Spec) -> Spec:
    """The spec with its archives as text: what to compare and to show."""

    def text(files: Files) -> str:
        return "".join(f"\n=== {name}\n{files[name].decode(errors='replace')}" for name in files)

    return _map_archives(spec, text)


def titled(spec: Spec) -> Spec:
    """The spec with the title of each step in ``pipeline.steps`` as its task's display name."""
    titles = {f"comp-{step.name.replace('_', '-')}": step.title for step in STEPS}

    def change(component: Spec) -> Spec:
        if "dag" not in component:
            return component
        tasks = {
            name: {**task, "taskInfo": {"name": titles[task["componentRef"]["name"]]}}
            if task["componentRef"]["name"] in titles
            else task
            for name, task in component["dag"]["tasks"].items()
        }
        return {**component, "dag": {**component["dag"], "tasks": tasks}}

    components = {name: change(component) for name, component in spec["components"].items()}
    return {**spec, "root": change(spec["root"]), "components": components}


def step_tasks(spec: Spec) -> dict[str, str]:
    """The step of each task, by the task's component name without ``comp-``.

    Importers and the task that hands on the code are left out.
    The pipeline's own steps are in the order of their table.
    A task inside a pipeline that is a step, as the upload is, belongs to that step. A task of a
    spec with other steps is a step of its own name.
    """
    tasks = _tasks(spec, spec["root"], "")
    return dict(sorted(tasks, key=lambda task: NAMES.index(task[1]) if task[1] in NAMES else -1))


def has_all_steps(spec: Spec) -> bool:
    """Whether a spec is this project's pipeline, maybe with more steps, and not another one."""
    return set(NAMES) <= set(step_tasks(spec).values())


def shared_archive(spec: Spec) -> str:
    """The archive with the code of all steps; empty where every step carries its own."""
    executor = spec["deploymentSpec"]["executors"].get(f"exec-{CODE}", {})
    words = executor.get("container", {}).get("command", [])
    return next((word for word in words if word.startswith(SHARED)), "")


def _tasks(spec: Spec, component: Spec, step: str) -> Iterator[tuple[str, str]]:
    """Component name and step of each task, in run order."""
    tasks = component["dag"]["tasks"]
    needed = {name: task.get("dependentTasks", []) for name, task in tasks.items()}
    for name in graphlib.TopologicalSorter(needed).static_order():
        reference = tasks[name]["componentRef"]["name"]
        inner, own = spec["components"][reference], reference.removeprefix("comp-")
        own_step = own.replace("-", "_")
        if "dag" in inner:
            yield from _tasks(spec, inner, step or (own_step if own_step in NAMES else ""))
        elif own == CODE and shared_archive(spec):
            continue
        elif "importer" not in spec["deploymentSpec"]["executors"][inner["executorLabel"]]:
            yield own, step or own_step


def _map_archives(spec: Spec, change: Callable[[Files], str]) -> Spec:
    def replace(text: str) -> str:
        if text.startswith(SHARED):
            return change(unpack_shared(text))
        return ARCHIVE.sub(lambda found: found[1] + change(unpack(found[2])) + found[3], text)

    changed: Spec = map_strings(spec, replace)
    return changed
