"""What the documents derive from the code is up to date."""

from pathlib import Path

import pytest

from pipeline.compiler import PROJECT
from scripts import document_tables
from scripts.document_tables import PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_tables_and_diagram_are_what_make_docs_writes(page: Path) -> None:
    text = page.read_text()
    assert document_tables.written(text) == text, "run `make docs`"
