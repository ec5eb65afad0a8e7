"""What came out of a run: for a person, and as ``summary.json``."""

import dataclasses
import datetime
import json
import time
from pathlib import Path
from typing import Any

from pipeline import files as durable
from pipeline.runs import report, runs
from pipeline.runs.tasks import Task
from pipeline.steps import figure, version_of


@dataclasses.dataclass
class Run:
    """A run of the pipeline on this machine.

    Attributes:
        id: Its name, and that of its folder.
        directory: ``runs/<id>``.
        started: When it began, UTC.
        spec_digest: SHA-256 of what the compiled spec says.
        parameters: The value of each pipeline parameter.
        defaults: The spec's value of each parameter that has another one here.
        tasks: Its steps by component name, in run order.
        state: ``running``, ``done``, ``failed`` or ``interrupted``.
        seconds: Wall time.
        error: Why it failed; empty when it did not.
        earlier: Id of the run whose outputs its steps read; empty: of a run of the whole pipeline.
        begun: When it began on the monotonic clock, in seconds.
    """

    id: str
    directory: Path
    started: datetime.datetime
    spec_digest: str
    parameters: dict[str, Any]
    defaults: dict[str, Any]
    tasks: dict[str, Task]
    state: str = "running"
    seconds: float = 0.0
    error: str = ""
    earlier: str = ""
    begun: float = dataclasses.field(default_factory=time.monotonic)

    @property
    def metrics(self) -> dict[str, float]:
        """The challenger's figures on the test examples; empty before they are known."""
        found = self._outputs("evaluate").get("metrics")
        return dict(found.metadata) if found else {}

    @property
    def passed(self) -> bool | None:
        """The verdict; None before there is one."""
        return self._outputs("evaluate").get("Output")

    @property
    def reason(self) -> str:
        """Why the verdict is what it is, in a sentence."""
        found = self._outputs("evaluate").get("evaluation")
        return str(found.metadata["reason"]) if found else ""

    @property
    def version(self) -> str:
        """The version that was uploaded; empty when none was."""
        for task in self.tasks.values():
            if task.name.startswith("model-upload") and "model" in task.outputs:
                return version_of(task.outputs["model"].metadata["resourceName"])
        return ""

    @property
    def report(self) -> Path | None:
        """The page about the model; None before there is one."""
        path = self.directory / runs.REPORT
        return path if path.exists() else None

    def _outputs(self, name: str) -> dict[str, Any]:
        task = self.tasks.get(name)
        return task.outputs if task else {}


def write_summary(run: Run) -> None:
    """Writes ``summary.json``, and ``evaluation.json`` and ``report.html`` where it has them."""
    try:
        report.publish(run.directory, as_json(run), run._outputs("evaluate"))
    finally:
        text = json.dumps(as_json(run), indent=1, default=str)
        durable.write(run.directory / runs.SUMMARY, f"{text}\n")


def as_json(run: Run) -> dict[str, Any]:
    """The content of ``summary.json``."""
    return {
        "run": run.id,
        "earlier": run.earlier,
        "state": run.state,
        "error": run.error,
        "started": run.started.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 3),
        "spec_digest": run.spec_digest,
        "parameters": run.parameters,
        "defaults": run.defaults,
        "metrics": run.metrics,
        "verdict": {"passed": run.passed, "reason": run.reason},
        "model": {"name": run.parameters.get("model_name"), "version": run.version},
        "report": str(run.report) if run.report else "",
        "steps": [step_as_json(task) for task in run.tasks.values()],
    }


def step_as_json(task: Task) -> dict[str, Any]:
    """What came of a step, as JSON values."""
    return {
        "name": task.name,
        "display_name": task.display_name,
        "state": task.state,
        "seconds": round(task.seconds, 3),
        "figure": figure(task.name, task.outputs) if task.outputs else "",
        "outputs": {name: _output(value) for name, value in task.outputs.items()},
    }


def _output(value: Any) -> Any:
    if hasattr(value, "uri"):
        kind = getattr(value, "schema_title", "system.Artifact")
        return {"type": kind, "uri": value.uri, "metadata": value.metadata}
    return value
