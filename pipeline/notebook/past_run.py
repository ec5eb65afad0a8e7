"""Runs that are over, as a notebook reads them: outputs by step, and parameters."""

import dataclasses
import html
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pipeline import compiler
from pipeline.errors import CommandError
from pipeline.notebook.artifacts import Artifact
from pipeline.notebook.place import place
from pipeline.notebook.steps import STEPS, checked, depending_on, step_of
from pipeline.notebook.values import near
from pipeline.runs.root import Root
from pipeline.specs import parameters
from pipeline.specs import spec as specs

SUMMARY: Final = "summary.json"

Outputs = dict[str, Any]
"""Artifacts and values of one step by name."""


class NoRunError(CommandError):
    """A run, or what a step of it left, that is not there."""


@dataclasses.dataclass(frozen=True)
class PastRun:
    """What came out of a run, here or on Vertex AI.

    ``run["train"]["model"]`` is an output of a step, ``run.artifact("model")`` the same without
    the step's name.

    Attributes:
        id: The run.
        parameters: Value of each pipeline parameter.
        steps: Outputs by step, in the order of the pipeline.
        root: The folder that holds all that is local.
    """

    id: str
    parameters: dict[str, Any]
    steps: dict[str, Outputs]
    root: Path = dataclasses.field(repr=False)

    def __getitem__(self, step: str) -> Outputs:
        """The outputs of a step.

        Raises:
            UsageError: The pipeline has no such step.
            NoRunError: The run has no outputs of it.
        """
        name = checked(step)
        if name not in self.steps:
            raise NoRunError(f"{self.id} has no outputs of {name}; make them: rerun(run, {name!r})")
        return self.steps[name]

    def artifact(self, name: str) -> Artifact:
        """An artifact by the name of the output.

        Raises:
            NoRunError: The run has none of that name; names those that it has.
        """
        for outputs in self.steps.values():
            if isinstance(outputs.get(name), Artifact):
                found: Artifact = outputs[name]
                return found
        known = [
            key
            for outputs in self.steps.values()
            for key, value in outputs.items()
            if isinstance(value, Artifact)
        ]
        raise NoRunError(f"{self.id} has no artifact {name!r}; {near(name, dict.fromkeys(known))}")

    def followed_by(
        self, run_id: str, parameters: dict[str, Any], steps: Mapping[str, Outputs]
    ) -> "PastRun":
        """This run with steps that were run again, without what depended on their old outputs.

        Args:
            run_id: The run in which they were.
            parameters: The pipeline's parameters then.
            steps: Their outputs.
        """
        stale = set(steps).union(*(depending_on(step) for step in steps))
        kept = {step: found for step, found in self.steps.items() if step not in stale}
        merged = {**kept, **steps}
        ordered: dict[str, Outputs] = {step: merged[step] for step in STEPS if step in merged}
        return PastRun(run_id, parameters, ordered, self.root)

    @property
    def verdict(self) -> str:
        """What the gate said of the model, and why."""
        return str(self["evaluate"]["evaluation"].metadata["reason"])

    @property
    def options(self) -> str:
        """The parameters that are not the pipeline's defaults, as ``run`` and ``submit`` take them.

        ``-p learning_rate=0.06 -p 'filters=[16, 32, 64]'``
        """
        spec = specs.load(compiler.COMPILED / compiler.PIPELINE)
        return parameters.options(self.parameters, spec)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{_cell(step)}</td><td>{_cell(name)}</td><td>{_cell(value)}</td></tr>"
            for step, name, value in _rows(self.steps)
        )
        head = "".join(f"<th>{title}</th>" for title in ("step", "output", ""))
        return (
            f"<p>Run <b>{html.escape(self.id)}</b></p>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )


def newest(root: Root) -> "PastRun | None":
    """The newest run of the whole pipeline that ended well; None: there is none."""
    for _, summary in sorted(_summaries(root.runs), key=lambda found: found[0], reverse=True):
        if summary["state"] == "done" and not summary.get("earlier"):
            return _read(summary, root.runs)
    return None


def load_run(run_id: str, *, root: Path | None = None) -> PastRun:
    """A run of this machine by its id; one that a rerun made, too.

    Raises:
        NoRunError: There is none of that id; names those that are near.
    """
    runs = place(root).runs
    if not (runs / run_id / SUMMARY).is_file():
        known = sorted((path.parent.name for path in runs.glob(f"*/{SUMMARY}")), reverse=True)
        hint = near(run_id, known[:10]) if known else "there are none yet"
        raise NoRunError(f"no run {run_id!r} under {runs}; {hint}")
    summary = json.loads((runs / run_id / SUMMARY).read_text())
    run = _read(summary, runs)
    if (runs / (earlier := summary.get("earlier", "")) / SUMMARY).is_file():
        before = load_run(earlier, root=runs.parent)
        return before.followed_by(run.id, run.parameters, run.steps)
    return run


def _rows(steps: Mapping[str, Outputs]) -> Iterator[tuple[str, str, Any]]:
    for step in STEPS:
        for name, value in steps.get(step, {}).items():
            if name != "gcp_resources":
                yield step, name, value.uri if isinstance(value, Artifact) else value


def _summaries(runs: Path) -> Iterator[tuple[tuple[str, int], dict[str, Any]]]:
    for path in runs.glob(f"*/{SUMMARY}"):
        summary = json.loads(path.read_text())
        yield (summary["started"], path.stat().st_mtime_ns), summary


def _read(summary: Mapping[str, Any], runs: Path) -> PastRun:
    steps: dict[str, Outputs] = {}
    for task in summary["steps"]:
        if task["outputs"]:
            found = {
                name: _output(value, summary["run"], runs.parent)
                for name, value in task["outputs"].items()
            }
            steps.setdefault(step_of(task["name"]), {}).update(found)
    return PastRun(summary["run"], dict(summary["parameters"]), steps, runs.parent)


def _output(value: Any, run: str, root: Path) -> Any:
    if isinstance(value, dict) and {"uri", "metadata", "type"} <= value.keys():
        return Artifact(value["uri"], dict(value["metadata"]), value["type"], run, root)
    return value


def _cell(value: Any) -> str:
    """A value as the text of a table's cell."""
    text = str(value)
    return html.escape(text if len(text) <= 100 else f"{text[:97]}…")
