"""Writes the tables of the documents that follow from the code: ``make docs``.

A table stands between ``<!-- table: KIND NAME -->`` and ``<!-- end -->``, and is written anew.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from docstring_parser import parse
from kfp.dsl.base_component import BaseComponent

from components.dataset.startup import quiet_start
from components.embedding import read_pins
from pipeline import steps
from pipeline.compiler import COMPILED, PIPELINE, PROJECT
from pipeline.specs import spec as specs

TABLE: Final = re.compile(r"(<!-- table: (\w+) (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
PAGES: Final = PROJECT / "docs"
TYPES: Final = {
    "STRING": "string",
    "NUMBER_INTEGER": "integer",
    "NUMBER_DOUBLE": "number",
    "BOOLEAN": "boolean",
    "LIST": "list",
    "STRUCT": "object",
}
Row = tuple[str, ...]


def written(text: str) -> str:
    """A page with its tables as they are now."""
    return TABLE.sub(
        lambda found: f"{found[1]}\n{KINDS[found[2]](found[3])}\n{found[4]}",
        text,
    )


def interface(name: str) -> str:
    """Inputs and outputs of a component, from its compiled file and its docstring."""
    compiled = specs.load(COMPILED / "components" / f"{name}.yaml")
    root = compiled["root"]
    described = descriptions(steps.step(name).component)
    inputs = [
        (f"`{key}`", _type(value), _default(value), _one_line(described.get(key, "")))
        for key, value in _definitions(root, "inputDefinitions")
    ]
    outputs = [
        (f"`{key}`" if key != "Output" else "the answer", _type(value), _one_line(described[key]))
        for key, value in _definitions(root, "outputDefinitions")
    ]
    taken = _table(("input", "type", "default", ""), inputs)
    return taken + ("\n" + _table(("output", "type", ""), outputs) if outputs else "")


def _definitions(component: specs.Spec, kind: str) -> Iterable[tuple[str, Any]]:
    found = component.get(kind, {})
    yield from found.get("artifacts", {}).items()
    yield from found.get("parameters", {}).items()


def descriptions(component: BaseComponent) -> Mapping[str, str]:
    """What the docstring of a component says of each input and output."""
    function = getattr(component, "python_func", None) or component.pipeline_func
    docstring = parse(function.__doc__)
    found = {each.arg_name: each.description or "" for each in docstring.params}
    if docstring.returns:
        text = docstring.returns.description or ""
        # One answer, or several with a name each, of which the parser takes the first.
        first, *others = text.splitlines()
        found[docstring.returns.type_name or "Output"] = first
        found |= dict(line.strip().split(": ", 1) for line in others)
    return found


def _type(value: Mapping[str, Any]) -> str:
    if "artifactType" in value:
        return f"`{value['artifactType']['schemaTitle']}`"
    return TYPES[value["parameterType"]]


def _default(value: Mapping[str, Any]) -> str:
    if "defaultValue" not in value:
        return "" if value.get("isOptional") else "required"
    default = value["defaultValue"]
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, float):
        return f"`{default:g}`"
    if isinstance(default, list):
        return f"`[{', '.join(f'{item:g}' for item in default)}]`"
    return f"`{default}`" if default != "" else "empty"


def place(name: str) -> str:
    """Where a step runs: image, packages, limits, retries, cache; from the compiled pipeline."""
    pipeline = specs.load(COMPILED / PIPELINE)
    task, component = _task(pipeline, f"comp-{name.replace('_', '-')}")
    container = pipeline["deploymentSpec"]["executors"][component["executorLabel"]]["container"]
    resources = container.get("resources", {})
    limit = ", ".join(
        filter(None, (
            f"{resources['resourceCpuLimit']} CPUs" if "resourceCpuLimit" in resources else "",
            resources.get("resourceMemoryLimit", "") and f"{resources['resourceMemoryLimit']}B",
        ))
    )  # fmt: skip
    retries = task.get("retryPolicy", {}).get("maxRetryCount", 0)
    cached = task.get("cachingOptions", {}).get("enableCache", False)
    pins = f"components/requirements/{name}.txt"
    rows = [
        ("image", f"`{container['image']}`"),
        ("packages", f"{len(read_pins(name))}, pinned in [`{pins}`](../../{pins})"),
        ("limits", limit or "none asked for: Vertex AI's default machine"),
        ("retries", f"{retries}, with backoff" if retries else "none"),
        ("cache", "answers when nothing it depends on has changed" if cached else "never"),
    ]
    return _table(("", ""), rows)


def _task(pipeline: specs.Spec, reference: str) -> tuple[specs.Spec, specs.Spec]:
    dags = [pipeline["root"], *pipeline["components"].values()]
    (task,) = [
        task
        for dag in dags
        for task in dag.get("dag", {}).get("tasks", {}).values()
        if task["componentRef"]["name"] == reference
    ]
    return task, pipeline["components"][reference]


def network(preset: str) -> str:
    """The layers of a preset's network that have weights or change the shape, from the model."""
    from components.train.trainer.presets import PRESETS
    from components.train.trainer.util import Hyperparameters

    with quiet_start():
        from components.train.trainer.model import build_model

        model = build_model(Hyperparameters(**PRESETS.get(preset, {})))
    rows: list[Row] = []
    for layer in model.layers:
        shape = tuple(layer.output.shape[1:])
        kind = type(layer).__name__
        if layer.count_params() or kind in ("MaxPooling2D", "GlobalAveragePooling2D", "Flatten"):
            size = "x".join(map(str, shape))
            rows.append((kind, size, f"{layer.count_params():,}"))
    total = ("all", "", f"{model.count_params():,}")
    return _table(("layer", "output of an image", "weights"), [*rows, total])


def graph(_: str) -> str:
    """The pipeline as a Mermaid diagram: steps, and the artifacts that they pass on.

    What runs only when the gate lets the model pass has dashed arrows.
    """
    pipeline = specs.load(COMPILED / PIPELINE)
    lines = [f'    {step.name}["{step.title}"]' for step in steps.STEPS]
    for name, task in pipeline["root"]["dag"]["tasks"].items():
        inner = pipeline["components"][task["componentRef"]["name"]].get("dag", {}).get("tasks", {})
        target, arrow = (next(iter(inner)), "-.->") if inner else (name, "-->")
        handed: dict[str, list[str]] = {}
        for value in task.get("inputs", {}).get("artifacts", {}).values():
            source = value["taskOutputArtifact"]
            handed.setdefault(source["producerTask"], []).append(source["outputArtifactKey"])
        lines += [
            f"    {source} {arrow}|{', '.join(keys)}| {target}".replace("-champion", "_champion")
            for source, keys in handed.items()
        ]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```", ""])


def _one_line(text: str) -> str:
    return re.sub(r"``", "`", " ".join(text.split())).replace("|", "\\|")


def _table(head: Row, rows: Iterable[Row]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


KINDS: Final[dict[str, Callable[[str], str]]] = {
    "graph": graph,
    "interface": interface,
    "place": place,
    "network": network,
}


def main(pages: Path) -> None:
    """Writes the tables of all pages in a folder."""
    for page in [PROJECT / "README.md", *sorted(pages.rglob("*.md"))]:
        text = page.read_text()
        if (now := written(text)) != text:
            page.write_text(now)
            sys.stdout.write(f"{page.relative_to(PROJECT)}\n")


if __name__ == "__main__":
    main(PAGES)
