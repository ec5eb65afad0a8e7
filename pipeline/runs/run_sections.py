"""What a report shows of the run that made its model: steps, registry, parameters."""

import datetime
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pipeline.duration import duration
from pipeline.paths import shown
from pipeline.runs import model_place
from pipeline.specs.parameters import flat

NOT_RUN: Final = ("waiting", "skipped")
OF_THIS_MACHINE: Final = ("bucket_uri", "git_revision")
"""Parameters that the command sets by itself."""


def additions(
    directory: Path, summary: Mapping[str, Any], facts: Mapping[str, Any]
) -> dict[str, Any]:
    """What ``components.evaluate.report.render`` adds to the page about a run's model.

    Args:
        directory: The run's folder, ``<root>/runs/<id>``.
        summary: The content of its ``summary.json``.
        facts: The content of its ``evaluation.json``.
    """
    model = model_place.find(directory, summary, facts)
    started = datetime.datetime.fromisoformat(summary["started"])
    steps = [step for step in summary["steps"] if step["state"] not in NOT_RUN]
    return {
        "id": summary["run"],
        "when": f"{started.day} {started:%B %Y, %H:%M} UTC",
        "duration": duration(summary["seconds"]),
        "in_steps": duration(sum(step["seconds"] for step in steps)),
        "state": summary["state"],
        "error": summary["error"],
        "spec_digest": summary["spec_digest"],
        "revision": summary["parameters"].get("git_revision", ""),
        "command": command(summary),
        "steps": [
            {
                "title": step["display_name"],
                "figure": step["figure"],
                "state": step["state"],
                "seconds": step["seconds"],
                "duration": duration(step["seconds"]),
            }
            for step in steps
        ],
        "model": {
            "name": model.name,
            "version": model.number,
            "present": model.version is not None,
            "aliases": model.version.aliases if model.version else [],
            "place": shlex.quote(shown(model.path)) if model.path else "",
        },
        "parameters": _parameters(summary),
    }


def command(summary: Mapping[str, Any]) -> str:
    """The command that runs the pipeline with the same parameters."""
    all_values = flat(summary["parameters"])
    values = {name: all_values[name] for name in _changed(summary)}
    assignments = [f"{name}={_argument(value)}" for name, value in values.items()]
    given = [part for assignment in assignments for part in ("-p", assignment)]
    return shlex.join([".venv/bin/fashion-mnist", "run", *given])


def _parameters(summary: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The pipeline's parameters, first those that have another value than the default."""
    parameters, changed = flat(summary["parameters"]), _changed(summary)
    rest = parameters.keys() - changed.keys() - set(OF_THIS_MACHINE)
    return {
        "Changed": {
            name: f"{_argument(parameters[name]) or 'empty'} "
            f"(default {_argument(default) or 'empty'})"
            for name, default in changed.items()
        },
        "As by default": {name: parameters[name] for name in sorted(rest)},
        "Of this machine": {
            name: parameters[name] for name in OF_THIS_MACHINE if name in parameters
        },
    }


def _changed(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Default by name of each parameter that was given another value."""
    defaults: dict[str, Any] = summary["defaults"]
    return {name: value for name, value in defaults.items() if name not in OF_THIS_MACHINE}


def _argument(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
