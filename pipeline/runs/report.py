"""The page about a run: its model's evaluation, and what only the run knows of it."""

import json
from pathlib import Path
from typing import Any, Final

from pipeline import files
from pipeline.runs.record import EVALUATION, REPORT, Run, RunError

IMAGES: Final = "images"
"""What the evaluation of an earlier version of the step lacks; no page can be made of it."""


def publish(run: Run) -> None:
    """Puts evaluation and page into the folder of a run that ends; nothing without them."""
    outputs = run.steps["evaluate"].outputs if "evaluate" in run.steps else {}
    found = [Path(outputs[name].uri) for name in ("evaluation", "report") if name in outputs]
    if not found or not all(path.is_file() for path in found):
        return
    evaluation, own_page = found
    content = evaluation.read_bytes()
    files.write(run.directory / EVALUATION, content)
    facts = json.loads(content)
    if IMAGES in facts:
        _write(run, facts, run.directory / REPORT)
    else:
        files.write(run.directory / REPORT, own_page.read_bytes())


def rebuild(run: Run, output: Path | None = None) -> Path:
    """Writes the page of a run that has ended again.

    Args:
        run: The run.
        output: The file to write; None: ``report.html`` in the run's folder.

    Returns:
        The file.

    Raises:
        RunError: The run has no evaluation, or one of an earlier version of the step.
        OSError: The file cannot be written.
    """
    facts = run.evaluation()
    if IMAGES not in facts:
        raise RunError(
            f"the evaluation of run {run.id} was made by an earlier version of the step; run again"
        )
    place = output or run.directory / REPORT
    _write(run, facts, place)
    return place


def _write(run: Run, facts: dict[str, Any], output: Path) -> None:
    from components.evaluate.report import render
    from pipeline.runs.run_sections import additions

    files.write(output, render(facts, run=additions(run.directory, run.as_json(), facts)))
