"""The report of a run: its model's evaluation, and what only the run knows."""

import contextlib
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pipeline import files
from pipeline.checkout import PROJECT
from pipeline.runs.record import EVALUATION, REPORT, Run, RunError
from pipeline.runs.registry import Registry, Version
from pipeline.runs.root import Root
from pipeline.runs.version_record import RegistryError
from pipeline.specs.parameters import SET_BY_COMMANDS, as_text
from pipeline.text import duration

IMAGES: Final = "images"
"""A key that evaluations of earlier versions of the step lack; they give no report."""


def publish(run: Run) -> None:
    """Writes evaluation and report into the folder of a run that ends, if it has them."""
    outputs = run.steps["evaluate"].outputs if "evaluate" in run.steps else {}
    if "evaluation" in outputs and (path := Path(outputs["evaluation"].uri)).is_file():
        files.write(run.directory / EVALUATION, path.read_bytes())
        rebuild(run)


def rebuild(run: Run, output: Path | None = None) -> Path:
    """Writes the report of a run to a file, or into the run's folder; the file.

    Raises:
        RunError: The run has no evaluation, or one of an earlier version of the step.
        OSError: The file cannot be written.
    """
    from components.evaluate.report import render

    evaluation = run.evaluation()
    if IMAGES not in evaluation:
        raise RunError(
            f"the evaluation of run {run.id} was made by an earlier version of the step; run again"
        )
    place = output or run.directory / REPORT
    files.write(place, render(evaluation, run=additions(run, evaluation)))
    return place


def additions(run: Run, evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """What the report says about the run; see ``components.evaluate.report.render``."""
    steps = [task for task in run.steps.values() if task.state not in ("waiting", "skipped")]
    return {
        "id": run.id,
        "when": f"{run.started.day} {run.started:%B %Y, %H:%M} UTC" if run.started else "",
        "duration": duration(run.seconds),
        "in_steps": duration(sum(task.seconds for task in steps)),
        "state": run.state,
        "error": run.error,
        "spec_digest": run.spec_digest,
        "revision": run.parameters.get("git_revision", ""),
        "command": " ".join(
            [".venv/bin/fashion-mnist run", *_spec_option(run), run.options]
        ).strip(),
        "steps": [
            {
                "title": task.title,
                "figure": task.figure,
                "state": task.state,
                "seconds": task.seconds,
                "duration": duration(task.seconds),
            }
            for task in steps
        ],
        "model": _model(run, evaluation),
        "parameters": _parameters(run),
    }


def _model(run: Run, evaluation: Mapping[str, Any]) -> dict[str, Any]:
    number, version = _version_of(run, evaluation)
    path = version.path if version else run.model
    return {
        "name": run.model_name,
        "version": number,
        "tracking_uri": run.tracking_uri,
        "present": version is not None,
        "is_artifact": bool(run.uploaded) and not number,
        "aliases": version.aliases if version else [],
        "place": _copied_from(path) if path else "",
    }


def _spec_option(run: Run) -> list[str]:
    from pipeline import compiler

    return [f"--spec compiled/{compiler.KUBEFLOW_PIPELINE}"] if run.is_for_kubeflow else []


def _copied_from(path: Path) -> str:
    """A path for a shell in the checkout, as is the command that repeats the run."""
    whole = path.resolve()
    return shlex.quote(str(whole.relative_to(PROJECT) if whole.is_relative_to(PROJECT) else whole))


def _version_of(run: Run, evaluation: Mapping[str, Any]) -> tuple[str, Version | None]:
    """The number of a run's model, empty if it was not uploaded, and what the registry has."""
    number, champion = run.version, evaluation["champion"]
    if not number and champion and champion["same"]:
        number = champion["version"]
    if run.is_for_kubeflow:
        return number, None
    registry = Registry(Root(run.directory.resolve().parents[1]).registry)
    with contextlib.suppress(RegistryError):
        if number:
            return number, registry.resolve(run.model_name, number)
        # Another run may have uploaded it, as reruns of single steps do.
        for version in registry.versions(run.model_name):
            if version.digest == evaluation["model_digest"]:
                return str(version.number), version
    return number, None


def _parameters(run: Run) -> dict[str, dict[str, Any]]:
    changed = {name: run.changed[name] for name in run.changed if name not in SET_BY_COMMANDS}
    # The report says elsewhere what the data are.
    changed.pop("dataset", None)
    rest = run.parameters.keys() - changed.keys() - set(SET_BY_COMMANDS)
    return {
        "Changed": {
            name: f"{as_text(run.parameters[name]) or 'empty'} "
            f"(default {as_text(default) or 'empty'})"
            for name, default in changed.items()
        },
        "As by default": {name: run.parameters[name] for name in sorted(rest)},
        "Of this machine": {
            name: run.parameters[name] for name in SET_BY_COMMANDS if name in run.parameters
        },
    }
