"""Compiled specs as plain dictionaries: read them, walk them, change them.

Nothing here changes its argument; every function returns a new spec.
"""

import base64
import gzip
import hashlib
import io
import re
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from components.dataset.redaction import one_line
from pipeline.errors import UsageError
from pipeline.steps import STEPS

Spec = dict[str, Any]
Files = list[tuple[str, bytes]]

ARCHIVE: Final = re.compile(r"(__KFP_EMBEDDED_ARCHIVE_B64 = ')([A-Za-z0-9+/=]+)(')")
"""The embedded code within a step's command, as kfp writes it."""
SAFE_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
UNREADABLE: Final = (yaml.YAMLError, ValueError, LookupError, AttributeError)
"""What PyYAML raises: its own errors, and what its readers of scalars stumble over."""
DEEPEST: Final = 64
"""Six times as deep as a compiled pipeline is."""
LARGEST: Final = 4 << 20
"""Bytes of the code of all steps, unpacked: many times what a pipeline holds."""
DAMAGED: Final = (ValueError, LookupError, OSError, EOFError, tarfile.TarError, zlib.error)
"""What the modules for archives raise."""
PREAMBLE: Final = ("sh", "-c")
NAMES: Final = frozenset(step.name for step in STEPS)


def load(path: Path) -> Spec:
    """Reads a compiled YAML file.

    Raises:
        UsageError: It is none.
    """
    from pipeline.specs.spec_form import fault

    try:
        text = path.read_text()
        _check_nesting(text, path)
        spec: Spec = yaml.load(text, Loader=SAFE_LOADER)  # noqa: S506
    except UNREADABLE as error:
        raise UsageError(f"{path} is no YAML ({one_line(error)}); compile it anew") from error
    if reason := fault(spec):
        raise UsageError(f"{path} is no compiled pipeline ({one_line(reason)}); compile it anew")
    return spec


def declared(spec: Spec) -> Spec:
    """The definition of each parameter of a pipeline, by its name."""
    definitions: Spec = spec["root"].get("inputDefinitions", {}).get("parameters", {})
    return definitions


def _check_nesting(text: str, path: Path) -> None:
    """Refuses what libyaml's loader would end the process with, and what has no end."""
    depth = 0
    for event in yaml.parse(text, Loader=SAFE_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST or isinstance(event, yaml.AliasEvent):
            what = "nested too deeply" if depth > DEEPEST else "written with aliases"
            raise UsageError(f"{path} is {what}, which no compiled pipeline is; compile it anew")


def digest(spec: Spec) -> str:
    """Hexadecimal SHA-256 of what a spec says, whatever its formatting and compression."""
    text = yaml.safe_dump(unpacked(spec), sort_keys=True)
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


def strip_preamble(container: Spec) -> Spec:
    """The container without the ``pip install`` in front of its own command."""
    command = container.get("command", [])
    if tuple(command[:2]) != PREAMBLE or "pip install" not in "".join(command[2:3]):
        return container
    return {**container, "command": command[3:]}


def canonical(spec: Spec) -> Spec:
    """The spec with its archives packed so that equal code gives equal bytes."""
    return _map_archives(spec, lambda files: pack(dict(files)))


def unpacked(spec: Spec) -> Spec:
    """The spec with its archives as text: what to compare and to show."""

    def show(files: Files) -> str:
        return "".join(
            f"\n=== {name}\n{content.decode(errors='replace')}" for name, content in files
        )

    return _map_archives(spec, show)


def unpack(packed: str, room: int = LARGEST) -> Files:
    """Names and contents of the files in an embedded archive, sorted by name.

    Args:
        packed: The archive, as Base64 of a gzipped tar.
        room: Bytes that it may take when it is no longer compressed.

    Raises:
        UsageError: It is damaged, too large, or holds a link or a device.
    """
    try:
        with gzip.open(io.BytesIO(base64.b64decode(packed))) as file:
            content = file.read(room + 1)
        if len(content) > room:
            raise ValueError(f"unpacked it has more than {LARGEST} bytes")
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
            return sorted(_files(tar, len(content)), key=lambda file: file[0])
    # A header can hold any number, and a chain of them is as deep as it is long.
    except (*DAMAGED, ArithmeticError, RecursionError) as error:
        raise UsageError(
            f"the code in the compiled spec is damaged ({one_line(error)}); compile it anew"
        ) from error


def _files(tar: tarfile.TarFile, size: int) -> Files:
    found = []
    for member in tar:
        # Each is looked at before the next is sought, which a negative size would lead back.
        if not 0 <= member.size <= size:
            raise ValueError(f"{member.name} has {member.size} bytes of {size}")
        if member.isdir():
            continue
        file = tar.extractfile(member) if member.isreg() and not member.issparse() else None
        if file is None:
            raise ValueError(f"{member.name} is no plain file")
        found.append((member.name.removeprefix("./"), file.read()))
    return found


def pack(files: dict[str, bytes]) -> str:
    """Base64 of a gzipped tar of ``files`` without times, owners and modes of this machine."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return base64.b64encode(gzip.compress(buffer.getvalue(), 9, mtime=0)).decode()


def leaf_tasks(spec: Spec) -> list[tuple[str, str]]:
    """Steps as (component name without ``comp-``, display name), in run order; no importers."""
    return list(_leaves(spec, spec["root"]))


def step_tasks(spec: Spec) -> dict[str, str]:
    """The step of each task, by the task's component name without ``comp-``, in run order.

    A task inside a pipeline that is a step, as the upload is, belongs to that step. A task of a
    spec with other steps is a step of its own name.
    """
    return dict(_belonging(spec, spec["root"], ""))


def _belonging(spec: Spec, component: Spec, step: str) -> Iterator[tuple[str, str]]:
    for name in _in_order(component["dag"]["tasks"]):
        reference = component["dag"]["tasks"][name]["componentRef"]["name"]
        inner = spec["components"][reference]
        own = reference.removeprefix("comp-")
        belongs = step or (own.replace("-", "_") if own.replace("-", "_") in NAMES else "")
        if "dag" in inner:
            yield from _belonging(spec, inner, belongs)
        elif "importer" not in spec["deploymentSpec"]["executors"][inner["executorLabel"]]:
            yield own, belongs or own.replace("-", "_")


def _in_order(tasks: Spec) -> list[str]:
    """The tasks of a DAG, each after those it waits for."""
    done: list[str] = []
    while len(done) < len(tasks):
        for name in tasks:
            ready = all(needed in done for needed in tasks[name].get("dependentTasks", []))
            if name not in done and ready:
                done.append(name)
    return done


def _leaves(spec: Spec, component: Spec) -> Iterator[tuple[str, str]]:
    tasks = component["dag"]["tasks"]
    for name in _in_order(tasks):
        reference = tasks[name]["componentRef"]["name"]
        inner = spec["components"][reference]
        if "dag" in inner:
            yield from _leaves(spec, inner)
        elif "importer" not in spec["deploymentSpec"]["executors"][inner["executorLabel"]]:
            yield reference.removeprefix("comp-"), tasks[name]["taskInfo"]["name"]


def _map_archives(spec: Spec, change: Callable[[Files], str]) -> Spec:
    room = LARGEST

    def replace(found: re.Match[str]) -> str:
        nonlocal room
        files = unpack(found[2], room)
        room -= sum(len(name) + len(content) for name, content in files)
        return found[1] + change(files) + found[3]

    changed: Spec = map_strings(spec, lambda text: ARCHIVE.sub(replace, text))
    return changed
