"""The page about a run: its model's evaluation, and what only the run knows of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pipeline import files as durable
from pipeline.runs import runs

PLOTS: Final = "plots"
"""What the evaluation of an earlier version of the step lacks; no page can be made of it."""


def publish(directory: Path, summary: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """Puts evaluation and page into the folder of a run that ends now; nothing without them.

    Args:
        directory: The run's folder.
        summary: What its ``summary.json`` will hold.
        outputs: The artifacts of its step ``evaluate`` by name; empty when that did not end.
    """
    found = [Path(outputs[name].uri) for name in ("evaluation", "report") if name in outputs]
    if not found or not all(path.is_file() for path in found):
        return
    evaluation, own_page = found
    content = evaluation.read_bytes()
    durable.write(directory / runs.EVALUATION, content)
    facts = json.loads(content)
    if PLOTS in facts:
        _write(directory, summary, facts, directory / runs.REPORT)
    else:
        durable.write(directory / runs.REPORT, own_page.read_bytes())


def rebuild(directory: Path, output: Path | None = None) -> Path:
    """Writes the page of a run that has ended, anew.

    Args:
        directory: The run's folder.
        output: The file to write; None: ``report.html`` in the run's folder.

    Returns:
        The file.

    Raises:
        RunError: The run has no evaluation, or one of an earlier version of the step.
        OSError: The file cannot be written.
    """
    facts = runs.evaluation(directory)
    if PLOTS not in facts:
        raise runs.RunError(
            f"the evaluation of run {directory.name} was made by an earlier version of the step; "
            "run again"
        )
    place = output or directory / runs.REPORT
    _write(directory, runs.summary(directory), facts, place)
    return place


def _write(
    directory: Path, summary: Mapping[str, Any], facts: Mapping[str, Any], output: Path
) -> None:
    from components.evaluate.report import render
    from pipeline.runs.run_sections import additions

    durable.write(output, render(facts, additions(directory, summary, facts)))
