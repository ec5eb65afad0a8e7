"""The code of all steps in one archive, which a first task writes and every other task reads.

Argo keeps a workflow below 1 MiB, and a container's command is in it five times or more: in the
arguments, the driver's input and output, the executor's and the container's input. So the command
of a step on Kubeflow is a few words: read the archive, and become the command that KFP wrote for
the step, which is in it.

The price: on Kubeflow a change of one step's code makes every step run again, since the key of a
step's cache holds the artifact's id. A run here separates the code first (``pipeline.local``).
"""

import json
from typing import Any, Final

from components.dataset.code import stripped
from components.embedding import COMPONENTS
from pipeline.specs.archives import (
    ARCHIVE,
    REPLACED,
    SHARED,
    pack,
    pack_shared,
    unpack,
    unpack_shared,
)
from pipeline.specs.spec import CODE, Spec, map_containers, shared_archive

COMPONENT, EXECUTOR = f"comp-{CODE}", f"exec-{CODE}"
CHANNEL: Final = f"pipelinechannel--{CODE}-{CODE}"
"""The input of a pipeline within the pipeline, in KFP's way of naming."""
DEFINITION: Final = {"artifactType": {"schemaTitle": "system.Artifact", "schemaVersion": "0.0.1"}}
WRITE: Final = (
    f"import base64, sys; text = sys.argv[1][{len(SHARED)}:]; open(sys.argv[2], 'wb').write("
    f"base64.b85decode(text.translate(str.maketrans('{REPLACED[1]}', '{REPLACED[0]}'))))"
)
RUN: Final = (
    "import bz2, json, sys; files = json.load(bz2.open(sys.argv[1])); exec(files['start.py']); "
    "start(files, *sys.argv[2:])"
)
LITERAL: Final = "ARCHIVE_B64 = '"
"""What precedes the embedded archive in a module of KFP's."""


def lean(spec: Spec) -> Spec:
    """The spec without what nothing reads when it runs; the pipeline's own descriptions stay.

    Left out are the descriptions of the components, and docstrings and comments in KFP's modules.
    """

    def bare(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        described = isinstance(value.get("description"), str)
        return {k: bare(one) for k, one in value.items() if not (described and k == "description")}

    def without_docstrings(_: str, container: Spec) -> Spec:
        *command, module = container.get("command") or [""]
        if not ARCHIVE.search(module):
            return container
        return {**container, "command": [*command, stripped(module)]}

    return {**map_containers(spec, without_docstrings), "components": bare(spec["components"])}


def share(spec: Spec) -> Spec:
    """The spec with the code of its Python steps in one archive.

    The archive is compressed JSON: text by name. It has ``start.py``, the union of the embedded
    files below ``files/``, and for each executor KFP's module as ``steps/LABEL.py``, the rest of
    its command and the names of its own files in ``steps.json``.
    """
    carried = {"start.py": stripped((COMPONENTS / "start.py").read_text()).encode()}
    steps: dict[str, Any] = {}
    images = []

    def shorten(label: str, container: Spec) -> Spec:
        *command, module = container.get("command") or [""]
        if (found := ARCHIVE.search(module)) is None:
            return container
        files = unpack(found[2])
        carried.update({f"files/{name}": content for name, content in files.items()})
        carried[f"steps/{label}.py"] = ARCHIVE.sub(r"\1\3", module).encode()
        steps[label] = {"command": command, "files": list(files)}
        images.append(container["image"])
        run = ["python3", "-c", RUN, f"{{{{$.inputs.artifacts['{CODE}'].path}}}}", label]
        return {**container, "command": run}

    short = map_containers(spec, shorten)
    carried["steps.json"] = json.dumps(steps, indent=1, sort_keys=True).encode()
    path = f"{{{{$.outputs.artifacts['{CODE}'].path}}}}"
    command = ["python3", "-c", WRITE, pack_shared(carried), path]
    executors = {
        **short["deploymentSpec"]["executors"],
        EXECUTOR: {"container": {"image": images[0], "command": command}},
    }
    handed_on = _handed_on(short, set(steps))
    return {**handed_on, "deploymentSpec": {**short["deploymentSpec"], "executors": executors}}


def separate(spec: Spec) -> Spec:
    """The spec with the code of each step in its own command again; others stay as they are."""
    if not (packed := shared_archive(spec)):
        return spec
    files = unpack_shared(packed)
    steps = json.loads(files["steps.json"])

    def whole(label: str, container: Spec) -> Spec:
        if label not in steps:
            return container
        own = {name: files[f"files/{name}"] for name in steps[label]["files"]}
        before, literal, after = files[f"steps/{label}.py"].decode().partition(LITERAL)
        module = f"{before}{literal}{pack(own)}{after}"
        return {**container, "command": [*steps[label]["command"], module]}

    return _taken_back(map_containers(spec, whole))


def _handed_on(spec: Spec, labels: set[str]) -> Spec:
    """The spec with the task that writes the code, which every executor of ``labels`` reads."""

    def name_of(component: Spec) -> str:
        """The name of the input by which a component gets the code; empty if it needs none."""
        if "dag" not in component:
            return CODE if component["executorLabel"] in labels else ""
        return CHANNEL if any(map(needed, component["dag"]["tasks"].values())) else ""

    def needed(task: Spec) -> str:
        return name_of(spec["components"][task["componentRef"]["name"]])

    def with_tasks(component: Spec, source: Spec, first: list[str]) -> Spec:
        tasks = dict(component["dag"]["tasks"])
        for name, task in tasks.items():
            if own := needed(task):
                after = sorted([*task.get("dependentTasks", []), *first])
                tasks[name] = _with_artifact(task, "inputs", own, source)
                tasks[name] |= {"dependentTasks": after} if after else {}
        return {**component, "dag": {**component["dag"], "tasks": tasks}}

    outputs = {"outputDefinitions": {"artifacts": {CODE: DEFINITION}}}
    components: Spec = {COMPONENT: {"executorLabel": EXECUTOR, **outputs}}
    for name, component in spec["components"].items():
        own = name_of(component)
        given = _with_artifact(component, "inputDefinitions", own, DEFINITION) if own else component
        inner = {"componentInputArtifact": CHANNEL}
        components[name] = with_tasks(given, inner, []) if "dag" in component else given
    output = {"taskOutputArtifact": {"outputArtifactKey": CODE, "producerTask": CODE}}
    root = with_tasks(spec["root"], output, [CODE])
    root["dag"]["tasks"][CODE] = {
        "cachingOptions": {"enableCache": True},
        "componentRef": {"name": COMPONENT},
        "taskInfo": {"name": "Code"},
    }
    return {**spec, "components": components, "root": root}


def _with_artifact(holder: Spec, key: str, name: str, value: Spec) -> Spec:
    inputs = holder.get(key, {})
    return {**holder, key: {**inputs, "artifacts": {**inputs.get("artifacts", {}), name: value}}}


def _taken_back(spec: Spec) -> Spec:
    """The spec without the task that writes the code, and without its way to the others."""

    def without(component: Spec) -> Spec:
        kept = _less(component, ["inputDefinitions", "artifacts"])
        if "dag" not in component:
            return kept
        tasks = {
            name: _less(_less(task, ["inputs", "artifacts"]), ["dependentTasks"])
            for name, task in component["dag"]["tasks"].items()
            if name != CODE
        }
        return {**kept, "dag": {**component["dag"], "tasks": tasks}}

    components = {
        name: without(one) for name, one in spec["components"].items() if name != COMPONENT
    }
    executors = dict(spec["deploymentSpec"]["executors"])
    del executors[EXECUTOR]
    deployment = {**spec["deploymentSpec"], "executors": executors}
    root = without(spec["root"])
    return {**spec, "components": components, "deploymentSpec": deployment, "root": root}


def _less(holder: Spec, keys: list[str]) -> Spec:
    """The holder without the code in what is at some keys, and without what is then empty."""
    key, *rest = keys
    if key not in holder:
        return holder
    inner = holder[key]
    if rest:
        inner = _less(inner, rest)
    elif isinstance(inner, dict):
        inner = {name: one for name, one in inner.items() if name not in (CODE, CHANNEL)}
    else:
        inner = [name for name in inner if name != CODE]
    return {name: one for name, one in {**holder, key: inner}.items() if name != key or inner}
