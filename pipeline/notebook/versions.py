"""The versions of a model in this machine's registry."""

import html

from pipeline.definition import NAME
from pipeline.notebook.past_run import PastRun
from pipeline.notebook.shown import Shown
from pipeline.runs.registry import Registry, Version
from pipeline.runs.root import Root


def show_versions(run: PastRun) -> Shown:
    """A table of the versions of a run's model in this machine's registry, the newest first."""
    model = run.parameters.get("model_name", NAME)
    found = Registry(Root(run.root).registry).versions(model)
    titles = ("version", "accuracy", "aliases", "created", "learning rate")
    head = "".join(f"<th>{title}</th>" for title in titles)
    rows = "".join(_row(version) for version in reversed(found))
    return Shown(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")


def _row(version: Version) -> str:
    facts = version.facts
    accuracy = facts.get("metrics", {}).get("accuracy")
    cells = (
        version.number,
        "" if accuracy is None else f"{accuracy:.4f}",
        ", ".join(version.aliases),
        facts.get("created", ""),
        facts.get("parameters", {}).get("learning_rate", ""),
    )
    return "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>"
