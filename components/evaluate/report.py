"""The evaluation as one page for a person."""

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from components.evaluate import sections
from components.evaluate.template import MACROS, PAGE

if TYPE_CHECKING:
    from jinja2 import Environment

NARROW_SPACE: Final = "\u202f"
"""Between number and percent sign; no line breaks there."""
TITLES: Final = {"data": "Records trained on"}
PARAMETERS: Final = "parameters"
STRONGEST: Final = 0.6
"""Opacity of the darkest cell of the confusion matrix; above it its text would be hard to read."""
Rows = list[tuple[str, str]]
"""Names and values of a list."""


@dataclasses.dataclass(frozen=True)
class Section:
    """A titled part of the page.

    Attributes:
        id: Its anchor.
        title: Its heading.
        body: HTML in which all text from elsewhere is escaped.
    """

    id: str
    title: str
    body: str


@dataclasses.dataclass(frozen=True)
class Tile:
    """A figure of the page's head, with a note below it."""

    name: str
    value: str
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Additions:
    """What the page shows beside the evaluation.

    Attributes:
        subtitle: A line below the page's title; may be empty.
        tiles: Further figures of its head.
        sections: Further sections; one replaces the evaluation's own of the same id.
    """

    subtitle: str = ""
    tiles: Sequence[Tile] = ()
    sections: Sequence[Section] = ()


def render(facts: Mapping[str, Any], additions: Additions | None = None) -> str:
    """A self-contained HTML page: no script and nothing loaded from elsewhere.

    The same facts give the same bytes.

    Args:
        facts: The content of the ``evaluation`` artifact.
        additions: What to show beside it.
    """
    additions = additions or Additions()
    shown = {section.id: section for section in _sections(facts)}
    shown |= {section.id: section for section in additions.sections}
    page = environment().from_string(PAGE)
    return page.render(**facts, additions=additions, sections=list(shown.values()))


def environment() -> "Environment":
    """What renders the templates: filters, and macros to import from ``macros``."""
    from jinja2 import DictLoader, Environment, StrictUndefined

    made = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=DictLoader({"macros": MACROS}),
    )
    made.filters |= {
        "percent": _percent,
        "count": "{:,}".format,
        "figure": lambda value: "—" if value is None else f"{value:.4f}",
        "missed": lambda share: 1.0 - share,
    }
    made.globals["thin"] = NARROW_SPACE
    return made


def lists(*titled: tuple[str, Rows]) -> str:
    """HTML of lists of names and values; an empty title is left out."""
    return _html(sections.LISTS, lists=titled)


def _plain(value: Any) -> str:
    """A value of JSON as a person gives it, numbers to six digits."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value)


def _sections(facts: Mapping[str, Any]) -> Iterator[Section]:
    if facts["champion"] and not facts["champion"]["same"]:
        body = _html(sections.CHAMPION, **facts)
        yield Section("champion", "Against the champion", body)
    yield Section("curves", "Learning curves", _html(sections.CURVES, **facts))
    yield Section("classes", "By class", _html(sections.CLASSES, **facts))
    rows = _matrix_rows(facts)
    yield Section("matrix", "Confusion matrix", _html(sections.MATRIX, matrix_rows=rows, **facts))
    yield Section("confused", "Most confused classes", _html(sections.CONFUSED, **facts))
    yield Section("mistakes", "Most confident mistakes", _html(sections.MISTAKES, **facts))
    body = _html(sections.CALIBRATION, confidence=_confidence(facts), **facts)
    yield Section("calibration", "Calibration", body)
    yield Section(PARAMETERS, "Parameters", lists(*_parameters(facts)))
    yield Section("provenance", "Provenance", lists(*_provenance(facts)))


def _html(template: str, **values: Any) -> str:
    return environment().from_string(template).render(**values)


def _matrix_rows(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of cells, each with its count and an opacity by its share of the row."""
    rows = []
    for label, counts in enumerate(facts["confusion_matrix"]):
        total = sum(counts) or 1
        cells = [
            {
                "count": count,
                "right": predicted == label,
                "opacity": f"{STRONGEST * math.sqrt(count / total):.2f}",
            }
            for predicted, count in enumerate(counts)
        ]
        rows.append({"name": facts["class_names"][label], "cells": cells})
    return rows


def _confidence(facts: Mapping[str, Any]) -> float:
    """Mean probability of the predictions."""
    filled = [entry for entry in facts["calibration"] if entry["examples"]]
    total: float = sum(entry["examples"] * entry["confidence"] for entry in filled)
    return total / int(facts["examples"])


def _parameters(facts: Mapping[str, Any]) -> Iterator[tuple[str, Rows]]:
    """What the training recorded, and the thresholds of the verdict."""
    given = facts["training"].get(PARAMETERS, {})
    yield "Training", [(name, _plain(value)) for name, value in given.items()]
    names = ("min_accuracy", "min_improvement")
    yield "Verdict", [(name, _plain(facts["verdict"][name])) for name in names]


def _provenance(facts: Mapping[str, Any]) -> list[tuple[str, Rows]]:
    """Titled lists of name and value: data, model, and whatever the training recorded."""
    data = facts["data"]
    origin = [(f"SHA-256 of {name}", str(digest)) for name, digest in data["digests"].items()]
    verified = {True: "yes", False: "no, allowed by allow_unverified", None: "not recorded"}
    origin.append(("Verified", verified[data["verified"]]))
    origin.append(("Test records", data["test_records"]))
    model = [("Digest", facts["model_digest"])]
    found = [("Data", origin), ("Model", model)]
    for name, value in facts["training"].items():
        title = TITLES.get(name, name.replace("_", " ").capitalize())
        if name == PARAMETERS:
            continue
        if isinstance(value, dict):
            found.append((title, [(str(key), _plain(item)) for key, item in value.items()]))
        else:
            model.append((title, _plain(value)))
    if champion := facts["champion"]:
        names = ("version", "resource_name", "digest")
        rows = [(name.replace("_", " ").capitalize(), champion[name] or "—") for name in names]
        found.append(("Champion", rows))
    return found


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}{NARROW_SPACE}%"
