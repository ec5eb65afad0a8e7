"""The record of a run: what commands, notebook and report know about it.

A run on this machine writes it to ``runs/<id>/summary.json`` when it ends; a job on Vertex AI is
shown as the same record. A row of a run is a step of ``pipeline.steps``.
"""

import dataclasses
import datetime
import html
import json
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final, Self

from pipeline import files, steps
from pipeline.errors import CommandError
from pipeline.runs.table import Artifact, Task, Watcher
from pipeline.specs.parameters import options
from pipeline.text import command, iso

__all__ = ["Artifact", "Run", "RunError", "Task", "Watcher", "new_run_id"]

SUMMARY: Final = "summary.json"
"""The record as a file; missing while the run lasts."""
EVALUATION: Final = "evaluation.json"
"""A copy of what the step ``evaluate`` wrote."""
REPORT: Final = "report.html"
TRACKING: Final = "tracking_uri"
"""The parameter with MLflow's address, which only the pipeline for Kubeflow has."""
UNFINISHED: Final = "unfinished"
"""State of a run without a summary: it is still running, or it was killed."""
DAMAGED: Final = "damaged"
"""State of a run whose summary cannot be read."""


class RunError(CommandError):
    """A run that did not leave what is needed."""


@dataclasses.dataclass
class Run:
    """A run of the pipeline, here or on Vertex AI.

    ``run["train"]["model"]`` is an output of a step, ``run.artifact("model")`` the same without
    the step's name.

    Attributes:
        directory: ``<root>/runs/<id>``; a job on Vertex AI has no such folder.
        started: UTC; None when unknown.
        seconds: Wall time.
        state: ``running``, ``done``, ``failed`` or ``interrupted``; of a folder also
            ``unfinished`` and ``damaged``.
        spec_digest: SHA-256 of the compiled spec's content.
        parameters: The value of each parameter; hyperparameters by their own names.
        changed: The default of each parameter that has another value in this run.
        earlier: Id of the run whose outputs its steps read; empty for the whole pipeline.
        steps: Its steps by name, in run order.
    """

    id: str
    directory: Path = dataclasses.field(repr=False)
    started: datetime.datetime | None = None
    seconds: float = 0.0
    state: str = "running"
    error: str = ""
    spec_digest: str = dataclasses.field(default="", repr=False)
    parameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    changed: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    earlier: str = ""
    steps: dict[str, Task] = dataclasses.field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, directory: Path) -> Self:
        """The run in a folder; without a readable summary its state says so."""
        try:
            values = json.loads((directory / SUMMARY).read_text())
            run = cls(
                id=values["run"],
                directory=directory,
                started=datetime.datetime.fromisoformat(values["started"]),
                seconds=float(values["seconds"]),
                state=values["state"],
                error=values["error"],
                spec_digest=values["spec_digest"],
                parameters=dict(values["parameters"]),
                changed=dict(values["defaults"]),
                earlier=values["earlier"],
                steps={task.name: task for task in map(Task.from_json, values["steps"])},
            )
            run.as_json()
        except FileNotFoundError:
            state = UNFINISHED
        except (ValueError, LookupError, TypeError, AttributeError):
            state = DAMAGED
        else:
            return run
        return cls(directory.name, directory, _start_in_name(directory.name), state=state)

    def write(self) -> None:
        """Writes ``summary.json``.

        Raises:
            OSError: The disk is full, or the folder cannot be written.
        """
        text = json.dumps(self.as_json(), indent=1, default=str)
        files.write(self.directory / SUMMARY, f"{text}\n")

    def __getitem__(self, step: str) -> dict[str, Any]:
        """The outputs of a step.

        Raises:
            UsageError: The pipeline has no such step.
            RunError: The run has no outputs of it.
        """
        name = steps.step(step).name
        if not (outputs := self._outputs(name)):
            raise RunError(f"{self.id} has no outputs of {name}")
        return outputs

    def artifact(self, name: str) -> Any:
        """An artifact by the name of the output, of the first step that has one.

        Raises:
            RunError: The run has none; the error lists those it has.
        """
        artifacts = {
            key: value
            for task in reversed(self.steps.values())
            for key, value in task.outputs.items()
            if hasattr(value, "uri")
        }
        if name not in artifacts:
            raise RunError(
                f"{self.id} has no artifact {name!r}; it has {', '.join(artifacts) or 'none'}"
            )
        return artifacts[name]

    @property
    def metrics(self) -> dict[str, float]:
        """The model's figures on the test examples; empty before they are known."""
        return dict(self._metadata("evaluate", "metrics"))

    @property
    def accuracy(self) -> float | None:
        """The model's accuracy on the test examples; None before it is known."""
        return self.metrics.get("accuracy")

    @property
    def passed(self) -> bool | None:
        """The verdict; None before there is one."""
        return self._outputs("evaluate").get("Output")

    @property
    def reason(self) -> str:
        """The reason for the verdict, in a sentence."""
        return str(self._metadata("evaluate", "evaluation").get("reason", ""))

    @property
    def resource_name(self) -> str:
        """The uploaded version as ``steps.version_of`` reads it; empty without one."""
        return str(self.uploaded.metadata.get("resourceName", "")) if self.uploaded else ""

    @property
    def version(self) -> str:
        """The uploaded version; empty when none was uploaded."""
        return steps.version_of(self.resource_name)

    @property
    def uploaded(self) -> Any:
        """The uploaded model, an artifact; None without one."""
        return steps.uploaded_model(self._outputs("upload"))

    @property
    def is_for_kubeflow(self) -> bool:
        """Whether its registry is MLflow's, or none."""
        return TRACKING in self.parameters

    @property
    def tracking_uri(self) -> str:
        """Address of MLflow's server; empty without one."""
        return self.parameters.get(TRACKING) or ""

    @property
    def model_name(self) -> str:
        """The model's name in the registry; empty when unknown."""
        return self.parameters.get("model_name") or ""

    @property
    def model(self) -> Path | None:
        """The SavedModel of the training, in an earlier run's folder if it was cached."""
        found = self._outputs("train").get("model")
        return Path(found.uri) if found and Path(found.uri).is_dir() else None

    @property
    def report(self) -> Path | None:
        """The report; None before there is one."""
        path = self.directory / REPORT
        return path if path.exists() else None

    @property
    def evaluated(self) -> bool:
        """Whether it ended with an evaluation."""
        return bool(self.steps) and (self.directory / EVALUATION).is_file()

    @property
    def options(self) -> str:
        """The options of ``run`` and ``submit`` for the same parameters."""
        return options(self.parameters, self.changed)

    def evaluation(self) -> dict[str, Any]:
        """The content of the run's ``evaluation.json``.

        Raises:
            RunError: It has none.
        """
        path = self.directory / EVALUATION
        if self.state in (UNFINISHED, DAMAGED):
            raise RunError(
                f"run {self.id} has no readable {SUMMARY}: it is still running or was killed; "
                f"wait for its end or run again: `{command('run')}` continues from the cache"
            )
        if not path.exists():
            stopped = "it was interrupted before" if self.state == "interrupted" else ""
            why = self.error or stopped or "its steps did not include one"
            raise RunError(f"run {self.id} has no evaluation: {why}")
        try:
            found: dict[str, Any] = json.loads(path.read_text())
        except ValueError as error:
            raise RunError(f"{path} is not JSON ({error}); run again") from error
        return found

    def as_json(self) -> dict[str, Any]:
        """The content of ``summary.json``."""
        return {
            "run": self.id,
            "earlier": self.earlier,
            "state": self.state,
            "error": self.error,
            "started": iso(self.started),
            "seconds": round(self.seconds, 3),
            "spec_digest": self.spec_digest,
            "parameters": self.parameters,
            "defaults": self.changed,
            "metrics": self.metrics,
            "verdict": {"passed": self.passed, "reason": self.reason},
            "model": {"name": self.model_name, "version": self.version},
            "report": str(self.report or ""),
            "steps": [task.as_json() for task in self.steps.values()],
        }

    def as_line(self) -> dict[str, Any]:
        """What a list of runs shows, as JSON values."""
        return {
            "run": self.id,
            "state": self.state,
            "started": iso(self.started),
            "seconds": self.seconds,
            "accuracy": self.accuracy,
            "model": self.model_name,
            "version": self.version,
            "directory": str(self.directory),
        }

    def _outputs(self, step: str) -> dict[str, Any]:
        return self.steps[step].outputs if step in self.steps else {}

    def _metadata(self, step: str, output: str) -> dict[str, Any]:
        return getattr(self._outputs(step).get(output), "metadata", {})

    def _repr_html_(self) -> str:
        rows = [
            (task.name, name, getattr(value, "uri", value))
            for task in self.steps.values()
            for name, value in task.outputs.items()
            if name != "gcp_resources"
        ]
        return f"<p>Run <b>{html.escape(self.id)}</b></p>" + html_table(
            ("step", "output", ""), rows
        )


def html_table(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table that a notebook shows; what it is given is escaped."""

    def row(tag: str, cells: Sequence[Any]) -> str:
        return "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells)

    body = "".join(f"<tr>{row('td', cells)}</tr>" for cells in rows)
    return f"<table><thead><tr>{row('th', titles)}</tr></thead><tbody>{body}</tbody></table>"


def new_run_id(pipeline: str, now: datetime.datetime) -> str:
    """An id that no other run of a pipeline has: ``fashion-mnist-20261123-153000-ab12``."""
    return f"{pipeline}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _start_in_name(run_id: str) -> datetime.datetime | None:
    try:
        moment = "".join(run_id.split("-")[-3:-1])
        return datetime.datetime.strptime(f"{moment}Z", "%Y%m%d%H%M%S%z")
    except ValueError:
        return None
