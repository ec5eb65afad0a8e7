"""The evaluation as one page for a person."""

import math
from typing import Any, Final

from components.dataset.facts import CLASS_NAMES
from components.evaluate.assessment import Assessment
from components.evaluate.figures import learning_curve, reliability
from components.evaluate.pictures import data_uri
from components.evaluate.template import TEMPLATE

NARROW_SPACE: Final = "\u202f"
"""Between number and percent sign; no line breaks there."""
TITLES: Final = {"data": "Records trained on"}
STRONGEST: Final = 0.6
"""Opacity of the darkest cell of the confusion matrix; above it its text would be hard to read."""


def render(assessment: Assessment) -> str:
    """A self-contained HTML page: no script and nothing loaded from elsewhere.

    The same assessment gives the same bytes.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = _percent
    facts = assessment.facts
    plots = {"calibration": reliability(facts["calibration"])}
    if assessment.epochs:
        plots |= {name: learning_curve(assessment.epochs, name) for name in ("loss", "accuracy")}
    return environment.from_string(TEMPLATE).render(
        **facts,
        outcome=assessment.outcome,
        epochs=assessment.epochs,
        plots={name: Markup(svg) for name, svg in plots.items()},  # noqa: S704 (made here)
        matrix_rows=_matrix_rows(facts["confusion_matrix"]),
        mistake_cards=_mistakes(assessment),
        confused_names=[
            {**pair, **_names(pair["label"], pair["predicted"])} for pair in facts["confused"]
        ],
        wrong=facts["examples"] - facts["correct"],
        provenance=_provenance(facts),
    )


def _matrix_rows(matrix: list[list[int]]) -> list[dict[str, Any]]:
    """Rows of cells, each with its count and an opacity by its share of the row."""
    rows = []
    for label, counts in enumerate(matrix):
        total = sum(counts) or 1
        cells = [
            {
                "count": count,
                "column": CLASS_NAMES[predicted],
                "right": predicted == label,
                "opacity": f"{STRONGEST * math.sqrt(count / total):.2f}",
            }
            for predicted, count in enumerate(counts)
        ]
        rows.append({"name": CLASS_NAMES[label], "cells": cells})
    return rows


def _mistakes(assessment: Assessment) -> list[dict[str, Any]]:
    mistakes = zip(assessment.facts["mistakes"], assessment.pictures, strict=True)
    return [
        {**mistake, **_names(mistake["label"], mistake["predicted"]), "uri": data_uri(picture)}
        for mistake, picture in mistakes
    ]


def _names(label: int, predicted: int) -> dict[str, str]:
    return {"label": CLASS_NAMES[label], "predicted": CLASS_NAMES[predicted]}


def _provenance(facts: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Titled lists of name and value: data, model, and whatever the training recorded."""
    data = facts["data"]
    origin = [(f"SHA-256 of {name}", str(digest)) for name, digest in data["digests"].items()]
    verified = {True: "yes", False: "no, allowed by allow_unverified", None: "not recorded"}
    origin.append(("Verified", verified[data["verified"]]))
    origin.append(("Test records", data["test_records"]))
    model = [("Model", facts["model_digest"])]
    sections = [("Data", origin), ("Model", model)]
    for name, value in facts["training"].items():
        title = TITLES.get(name, name.replace("_", " ").capitalize())
        if isinstance(value, dict):
            sections.append((title, [(str(key), _plain(item)) for key, item in value.items()]))
        else:
            model.append((title, _plain(value)))
    if champion := facts["champion"]:
        names = ("version", "resource_name", "digest")
        rows = [(name.replace("_", " ").capitalize(), champion[name] or "—") for name in names]
        sections.append(("Champion", rows))
    return sections


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return ", ".join(map(_plain, value)) if isinstance(value, list) else str(value)


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}{NARROW_SPACE}%"
