"""What the documents derive from the code is up to date."""

import re
from pathlib import Path

import pytest

from pipeline.compiler import PROJECT
from pipeline.steps import STEPS
from scripts import document_tables
from scripts.document_tables import PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_tables_and_diagram_are_what_make_docs_writes(page: Path) -> None:
    text = page.read_text()
    assert document_tables.written(text) == text, "run `make docs`"


def test_the_diagram_has_each_step_and_what_it_passes_on() -> None:
    diagram = document_tables.graph("")
    for step in STEPS:
        assert f'{step.name}["{step.title}"]' in diagram
    assert "ingest -->|raw| decode" in diagram
    assert re.search(r"train -\.->\|model\| upload", diagram)


def test_a_stale_table_is_replaced_and_the_text_around_it_kept() -> None:
    stale = "a\n<!-- table: interface decode -->\nold\n<!-- end -->\nb\n"
    now = document_tables.written(stale)
    assert "old" not in now
    assert "| `shards` | integer | `8` |" in now
    assert now.startswith("a\n")
    assert now.endswith("<!-- end -->\nb\n")
