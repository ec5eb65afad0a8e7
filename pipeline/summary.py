"""What came out of a run: for a person, and as ``summary.json``."""

import dataclasses
import datetime
import json
import shutil
import time
from pathlib import Path
from typing import Any

from pipeline import durable
from pipeline.figures import figure, version_of
from pipeline.tasks import Task


@dataclasses.dataclass
class Run:
    """A run of the pipeline on this machine.

    Attributes:
        id: Its name, and that of its folder.
        directory: ``runs/<id>``.
        started: When it began, UTC.
        spec_digest: SHA-256 of what the compiled spec says.
        parameters: The value of each pipeline parameter.
        tasks: Its steps by component name, in run order.
        state: ``running``, ``done``, ``failed`` or ``interrupted``.
        seconds: Wall time.
        error: Why it failed; empty when it did not.
        begun: When it began on the monotonic clock, in seconds.
    """

    id: str
    directory: Path
    started: datetime.datetime
    spec_digest: str
    parameters: dict[str, Any]
    tasks: dict[str, Task]
    state: str = "running"
    seconds: float = 0.0
    error: str = ""
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
        path = self.directory / "report.html"
        return path if path.exists() else None

    def _outputs(self, name: str) -> dict[str, Any]:
        task = self.tasks.get(name)
        return task.outputs if task else {}


def write_summary(run: Run) -> None:
    """Writes ``summary.json`` and ``report.html`` into the run's folder."""
    report = run._outputs("evaluate").get("report")
    if report and Path(report.uri).is_file():
        with durable.replacing(run.directory / "report.html") as copy:
            shutil.copyfile(report.uri, copy)
    text = json.dumps(as_json(run), indent=1, default=str)
    durable.write(run.directory / "summary.json", f"{text}\n")


def as_json(run: Run) -> dict[str, Any]:
    """The content of ``summary.json``."""
    return {
        "run": run.id,
        "state": run.state,
        "error": run.error,
        "started": run.started.isoformat(timespec="seconds"),
        "seconds": round(run.seconds, 3),
        "spec_digest": run.spec_digest,
        "parameters": run.parameters,
        "metrics": run.metrics,
        "verdict": {"passed": run.passed, "reason": run.reason},
        "model": {"name": run.parameters.get("model_name"), "version": run.version},
        "report": str(run.report) if run.report else "",
        "steps": [_step(task) for task in run.tasks.values()],
    }


def _step(task: Task) -> dict[str, Any]:
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
