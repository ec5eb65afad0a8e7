"""Writes what the documents derive from the code: ``make docs``.

It replaces what is between ``<!-- table: KIND NAME -->`` and ``<!-- end -->``.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from docstring_parser import parse

from pipeline import steps
from pipeline.compiler import COMPILED, KUBEFLOW_PIPELINE, PIPELINE, PROJECT
from pipeline.specs import spec as specs

TABLE: Final = re.compile(r"(<!-- table: (\w+) (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
PAGES: Final = (PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md")))
TYPES: Final = {
    "STRING": "string",
    "NUMBER_INTEGER": "integer",
    "NUMBER_DOUBLE": "number",
    "BOOLEAN": "boolean",
    "STRUCT": "object",
}
UNSHOWN: Final = (
    "InputLayer",
    "Reshape",
    "Rescaling",
    "WithMirrorImages",
    "ReLU",
    "Multiply",
    "Add",
    "Ensemble",
)
"""Layers that are not worth a row of a network's table."""


def main() -> None:
    """Writes all pages and prints those that changed."""
    for page in PAGES:
        text = page.read_text()
        if (now := written(text)) != text:
            page.write_text(now)
            sys.stdout.write(f"{page.relative_to(PROJECT)}\n")


def written(text: str) -> str:
    """A page with its tables up to date."""
    return TABLE.sub(
        lambda found: f"{found[1]}\n{KINDS[found[2]](found[3])}\n{found[4]}",
        text,
    )


def graph(_: str) -> str:
    """The pipeline as a Mermaid diagram: steps, and the artifacts that they pass on.

    What runs only when the gate lets the model pass has dashed arrows.
    """
    pipeline = specs.load(COMPILED / PIPELINE)
    lines = [f'    {step.name}["{step.title}"]' for step in steps.STEPS]
    for name, task in pipeline["root"]["dag"]["tasks"].items():
        inner = pipeline["components"][task["componentRef"]["name"]].get("dag", {}).get("tasks", {})
        target, arrow = (next(iter(inner)), "-.->") if inner else (name, "-->")
        passed: dict[str, list[str]] = {}
        for value in task.get("inputs", {}).get("artifacts", {}).values():
            source = value["taskOutputArtifact"]
            passed.setdefault(source["producerTask"], []).append(source["outputArtifactKey"])
        lines += [
            f"    {source} {arrow}|{', '.join(keys)}| {target}".replace("-champion", "_champion")
            for source, keys in passed.items()
        ]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```", ""])


def interface(name: str) -> str:
    """Inputs and outputs of a component, from its compiled file and its docstring."""
    root = specs.load(COMPILED / "components" / f"{name}.yaml")["root"]
    described = _descriptions(steps.step(name).component)
    inputs = [
        (f"`{key}`", _type(value), _default(value), described.get(key, ""))
        for key, value in _definitions(root, "inputDefinitions")
    ]
    outputs = [
        (f"`{key}`" if key != "Output" else "the answer", _type(value), described.get(key, ""))
        for key, value in _definitions(root, "outputDefinitions")
    ]
    given = _table(("input", "type", "default", ""), inputs)
    return given + ("\n" + _table(("output", "type", ""), outputs) if outputs else "")


def _descriptions(component: Any) -> Mapping[str, str]:
    function = getattr(component, "python_func", None) or component.pipeline_func
    docstring = parse(function.__doc__)
    found = {each.arg_name: each.description or "" for each in docstring.params}
    if docstring.returns:
        found["Output"] = docstring.returns.description or ""
    return {
        name: " ".join(text.split()).replace("``", "`").replace("|", "\\|")
        for name, text in found.items()
    }


def _definitions(component: specs.Spec, kind: str) -> Iterable[tuple[str, Any]]:
    found = component.get(kind, {})
    yield from found.get("artifacts", {}).items()
    yield from found.get("parameters", {}).items()


def _type(value: Mapping[str, Any]) -> str:
    if "artifactType" in value:
        return f"`{value['artifactType']['schemaTitle']}`"
    return TYPES[value["parameterType"]]


def _default(value: Mapping[str, Any]) -> str:
    if "defaultValue" not in value:
        return "" if value.get("isOptional") else "required"
    match value["defaultValue"]:
        case bool() as flag:
            return f"`{str(flag).lower()}`"
        case float() as number:
            return f"`{number:g}`"
        case {**fields} if fields:
            return "[all defaults](../parameters.md)"
        case other:
            return f"`{other}`" if other != "" else "empty"


def parameters(name: str) -> str:
    """Every parameter of the pipeline, the hyperparameters among them.

    Of the one for Kubeflow, those that the other pipeline does not have, or has otherwise.
    """
    from pipeline.specs.parameters import describe

    shown = describe(specs.load(COMPILED / PIPELINE))
    if name == "kubeflow":
        known = {each.name: each.default for each in shown}
        there = describe(specs.load(COMPILED / KUBEFLOW_PIPELINE))
        shown = [each for each in there if known.get(each.name, Ellipsis) != each.default]
    rows = []
    for each in shown:
        default = "" if each.required else _default({"defaultValue": each.default})
        rows.append((f"`{each.name}`", default, each.description))
    return _table(("parameter", "default", ""), rows)


def network(name: str) -> str:
    """The layers of a preset's network with the size of their output and their weights."""
    from components.ingest.fashion_mnist import DESCRIPTION
    from components.train.trainer.hyperparameters import PRESETS, Hyperparameters
    from components.train.trainer.model import build_model

    preset = Hyperparameters.of({} if name == "default" else PRESETS[name])
    model = build_model(preset, DESCRIPTION)
    rows = [
        (
            type(layer).__name__,
            "x".join(map(str, layer.output.shape[1:])),
            f"{layer.count_params():,}",
        )
        for layer in model.layers
        if type(layer).__name__ not in UNSHOWN
    ]
    all_weights = ("all", "", f"{model.count_params():,}")
    return _table(("layer", "output of an image", "weights"), [*rows, all_weights])


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


KINDS: Final[dict[str, Callable[[str], str]]] = {
    "graph": graph,
    "interface": interface,
    "network": network,
    "parameters": parameters,
}


if __name__ == "__main__":
    main()
