"""What a report shows of the run that made its model: steps, registry, parameters."""

import datetime
import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from components.evaluate.report import Additions, Section, Tile, environment, lists
from pipeline.duration import duration
from pipeline.paths import shown
from pipeline.runs import model_place
from pipeline.runs.model_place import ModelPlace
from pipeline.specs.parameters import flat

MODEL: Final = """
{% if model.version %}
{% set aliases = model.version.aliases %}
<p>It is <strong>version {{ model.number }}</strong> of <code>{{ model.name }}</code> in
the local registry{% if aliases %}, with the alias{{ "es" if aliases|length > 1 }}
<code>{{ aliases|join("</code>, <code>"|safe) }}</code>{% endif %}.</p>
{% elif model.number %}
<p>It was version {{ model.number }} of <code>{{ model.name }}</code>, which is not in the
local registry any more.</p>
{% else %}
<p>It was not uploaded{% if place %}; the training's own copy is all there is of it{% endif %}.</p>
{% endif %}
{% if place %}
<h3>To have it</h3>
<pre>cp -r {{ place }} model</pre>
<h3>To ask it</h3>
<pre>import tensorflow as tf

model = tf.saved_model.load("model")
answer = model.signatures["serving_default"]
answer(image=images)  # uint8 [n, 28, 28]</pre>
{% endif %}
<h3>To make it again</h3>
<pre>{% if revision %}git checkout {{ revision }}
{% endif %}{{ command }}</pre>
"""

STEPS: Final = """
{% from "macros" import bar %}
{{ about|safe }}
<h3>Steps</h3>
<table class="steps">
<caption>{{ whole }} from start to end, {{ steps|sum(attribute="seconds")|duration }} of it in the
steps. The bars are shares of the longest step.</caption>
<thead><tr><th scope="col" class="left">Step</th><th scope="col" class="left">State</th>
<th scope="col">Time</th></tr></thead>
<tbody>
{% for step in steps %}
<tr><th scope="row">{{ step.display_name }}{% if step.figure %}
<small>{{ step.figure }}</small>{% endif %}</th>
<td class="left">{{ "from the cache" if step.state == "cached" else step.state }}</td>
<td>{{ step.seconds|duration }}{{ bar(step.seconds / longest) }}</td></tr>
{% endfor %}
</tbody>
</table>
"""
CHAMPION: Final = "default"
"""The alias of the version that the next run is compared with, unless it asks for another."""
NOT_RUN: Final = ("waiting", "skipped")
OF_THIS_MACHINE: Final = ("bucket_uri", "git_revision")
"""Parameters that the command sets by itself."""


def additions(directory: Path, summary: Mapping[str, Any], facts: Mapping[str, Any]) -> Additions:
    """What to add to the page about a run's model.

    Args:
        directory: The run's folder, ``<root>/runs/<id>``.
        summary: The content of its ``summary.json``.
        facts: The content of its ``evaluation.json``.
    """
    model = model_place.find(directory, summary, facts)
    started = datetime.datetime.fromisoformat(summary["started"])
    when = f"{started.day} {started:%B %Y, %H:%M} UTC"
    return Additions(
        subtitle=f"{summary['run']} · {when} · {duration(summary['seconds'])}",
        tiles=[_tile(model)],
        sections=[
            Section("parameters", "Parameters", lists(*_parameters(summary))),
            Section("model", "The model", _model(summary, model)),
            Section("run", "The run", _steps(summary)),
        ],
    )


def command(summary: Mapping[str, Any]) -> str:
    """The command that runs the pipeline with the same parameters."""
    all_values = flat(summary["parameters"])
    values = {name: all_values[name] for name in _changed(summary)}
    assignments = [f"{name}={_argument(value)}" for name, value in values.items()]
    given = [part for assignment in assignments for part in ("-p", assignment)]
    return shlex.join([".venv/bin/fashion-mnist", "run", *given])


def _tile(model: ModelPlace) -> Tile:
    if not model.number:
        return Tile("Registry", "none", "not uploaded")
    note = f"of {model.name}"
    if model.version is None:
        note += ", no longer there"
    elif CHAMPION in model.version.aliases:
        note += ", the champion now"
    return Tile("Registry", f"version {model.number}", note)


def _model(summary: Mapping[str, Any], model: ModelPlace) -> str:
    template = environment().from_string(MODEL)
    return template.render(
        model=model,
        place=shlex.quote(shown(model.path)) if model.path else "",
        revision=summary["parameters"].get("git_revision", ""),
        command=command(summary),
    )


def _steps(summary: Mapping[str, Any]) -> str:
    about = [
        ("Run", summary["run"]),
        ("State", summary["state"] + (f": {summary['error']}" if summary["error"] else "")),
        ("SHA-256 of the compiled spec", summary["spec_digest"]),
        ("Revision of the code", summary["parameters"].get("git_revision") or "not recorded"),
    ]
    steps = [step for step in summary["steps"] if step["state"] not in NOT_RUN]
    templates = environment()
    templates.filters["duration"] = duration
    return templates.from_string(STEPS).render(
        about=lists(("", about)),
        whole=duration(summary["seconds"]),
        steps=steps,
        longest=max((step["seconds"] for step in steps), default=0.0) or 1.0,
    )


def _parameters(summary: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The pipeline's parameters, first those that have another value than the default."""
    parameters, changed = flat(summary["parameters"]), _changed(summary)
    given = [
        (name, f"{_text(parameters[name])} (default {_text(default)})")
        for name, default in changed.items()
    ]
    own = [(str(name), _text(parameters[name])) for name in OF_THIS_MACHINE if name in parameters]
    rest = parameters.keys() - changed.keys() - set(OF_THIS_MACHINE)
    others = [(name, _text(parameters[name])) for name in sorted(rest)]
    titled: list[tuple[str, list[tuple[str, str]]]]
    titled = [("Changed", given), ("As by default", others), ("Of this machine", own)]
    return [(title, rows) for title, rows in titled if rows]


def _changed(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Default by name of each parameter that was given another value."""
    defaults: dict[str, Any] = summary["defaults"]
    return {name: value for name, value in defaults.items() if name not in OF_THIS_MACHINE}


def _argument(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _text(value: Any) -> str:
    return _argument(value) or "empty"
