"""Looks at what continues on Vertex AI by itself, whatever the network does in between."""

from collections.abc import Callable
from typing import Any

from pipeline.runs import outages
from pipeline.vertex.refusals import explain
from pipeline.vertex.target import Target, patient


def outlast(
    ask: Callable[[Any], Any],
    target: Target,
    say: Callable[[str], None],
    doing: str,
    continues: str,
    *,
    again: str,
) -> Any:
    """The answer of Vertex AI to what ``doing`` says; see ``pipeline.runs.outages.outlast``."""
    from google.api_core.exceptions import NotFound

    return outages.outlast(
        ask,
        patient,
        lambda error: explain(error, doing, target),
        say,
        lambda error: isinstance(error, NotFound),
        continues,
        again=again,
    )
