"""The rows of a run while it lasts."""

from typing import Any

import pytest

from pipeline.compiler import COMPILED, PIPELINE
from pipeline.runs.record import Task
from pipeline.runs.table import Table, Unwatched
from pipeline.specs import spec as specs
from pipeline.steps import STEPS


class Witness(Unwatched):
    def __init__(self) -> None:
        self.events: list[str] = []

    def started(self, task: Task) -> None:
        self.events.append(f"started {task.name}")

    def ended(self, task: Task) -> None:
        self.events.append(f"{task.state} {task.name}")


@pytest.fixture
def table() -> Table:
    table = Table(specs.load(COMPILED / PIPELINE))
    table.watcher = Witness()
    return table


def events(table: Table) -> list[str]:
    assert isinstance(table.watcher, Witness)
    return table.watcher.events


def test_the_rows_are_the_steps_of_the_pipeline(table: Table) -> None:
    assert {row.title for row in table.rows.values()} == {step.title for step in STEPS}
    assert {row.state for row in table.rows.values()} == {"waiting"}
    assert table.row("importer") is None


def test_a_step_starts_and_ends_once_with_its_outputs(table: Table) -> None:
    for _ in range(2):
        table.update("find-champion", "running", 1.0)
    table.update("find-champion", "done", 2.5, {"Output": True})
    row = table.rows["find_champion"]
    assert (row.state, row.seconds, row.outputs) == ("done", 2.5, {"Output": True})
    assert events(table) == ["started find_champion", "done find_champion"]


def test_the_tasks_of_the_upload_are_one_row(table: Table) -> None:
    given: list[tuple[str, dict[str, Any]]] = [
        ("package-model", {"aliases": ["default"]}),
        ("model-upload", {"model": "m"}),
        ("model-evaluation-import", {}),
    ]
    for name, outputs in given:
        table.update(name, "running")
        table.update(name, "done", 1.0, outputs)
        assert table.rows["upload"].state == "running"
    table.settle()
    row = table.rows["upload"]
    assert (row.state, row.seconds) == ("done", 3.0)
    assert row.outputs == {"aliases": ["default"], "model": "m"}
    assert events(table) == ["started upload", "done upload"]


def test_what_has_not_started_at_the_end_is_skipped(table: Table) -> None:
    table.update("ingest", "cached")
    table.settle()
    states = {row.name: row.state for row in table.rows.values()}
    assert states.pop("ingest") == "cached"
    assert set(states.values()) == {"skipped"}
    assert events(table) == ["cached ingest"]
