"""What the documents say of the code is what the code says."""

import ast
import re
from pathlib import Path

import pytest

from components.dataset.errors import StepError
from pipeline.compiler import PROJECT
from scripts import document_tables
from tests.documents.pages import PAGES, tables

COMPONENTS = sorted((PROJECT / "docs" / "components").glob("*.md"))
ELLIPSIS = "…"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_the_tables_are_what_make_docs_writes(page: Path) -> None:
    text = page.read_text()
    assert document_tables.written(text) == text, "run `make docs`"


def test_a_table_that_is_not_up_to_date_is_written_anew() -> None:
    stale = "a\n<!-- table: interface decode -->\nold\n<!-- end -->\nb\n"
    now = document_tables.written(stale)
    assert "old" not in now
    assert "| `shards` | integer | `8` | Files of each split. |" in now
    assert now.startswith("a\n")
    assert now.endswith("<!-- end -->\nb\n")
    assert document_tables.written(now) == now


def test_the_network_of_the_tutorial_is_the_models() -> None:
    from components.train.trainer.hyperparameters import PRESETS, Hyperparameters
    from components.train.trainer.model import build_model

    model = build_model(Hyperparameters(**PRESETS["tutorial"]))
    table = document_tables.network("tutorial")
    assert f"| all |  | {model.count_params():,} |" in table
    weights = re.findall(r"^\| \w+ \| [\dx]+ \| ([\d,]+) \|$", table, re.MULTILINE)
    assert sum(int(count.replace(",", "")) for count in weights) == model.count_params()
    # What the text counts in words.
    text = " ".join((PROJECT / "docs" / "tutorial.md").read_text().split())
    for layer, shape in (("conv2d", "28x28x32"), ("flatten", "3136")):
        (found,) = [one for one in model.layers if one.name.rstrip("_0123456789") == layer][:1]
        assert "x".join(map(str, found.output.shape[1:])) == shape
        assert shape in text


@pytest.mark.parametrize("page", COMPONENTS, ids=lambda page: page.stem)
def test_every_component_has_its_sections(page: Path) -> None:
    headings = re.findall(r"^## (.*)$", page.read_text(), re.MULTILINE)
    assert headings == ["Inputs and outputs", "Where it runs", "Errors", "By itself"]


def test_every_component_has_a_page() -> None:
    compiled = {path.stem for path in (PROJECT / "compiled" / "components").glob("*.yaml")}
    # The first step of the upload stands on the upload's page.
    assert {page.stem for page in COMPONENTS} == compiled - {"package_model"}


@pytest.mark.parametrize("page", COMPONENTS, ids=lambda page: page.stem)
def test_each_error_is_one_that_the_code_gives(page: Path) -> None:
    (rows,) = [rows for heading, rows in tables(page) if heading == "Errors"]
    known = messages(PROJECT / "components")
    for message, advice in rows[1:]:
        assert re.fullmatch(r"`[^`]+`", message), message
        assert any(message.strip("`") in one for one in known), message
        assert advice


def test_each_text_to_be_looked_up_in_the_readme_is_one_that_the_code_gives() -> None:
    (rows,) = [
        rows for heading, rows in tables(PROJECT / "README.md") if heading == "Troubleshooting"
    ]
    texts = messages(PROJECT / "components") | messages(PROJECT / "pipeline")
    known = {text.replace("`", "").replace("%s", ELLIPSIS) for text in texts}
    quoted = [text for row in rows[1:] for text in re.findall("`+(.+?)`+(?=, |$)", row[0])]
    assert len(quoted) > 5
    for text in quoted:
        said = text.replace("`", "").strip(f"{ELLIPSIS} ")
        assert any(said in one for one in known), text


def messages(folder: Path) -> set[str]:
    """All strings in the code of a folder, with … where a value is put in."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                found.add("".join(map(_part, node.values)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def _part(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ELLIPSIS


def test_a_message_that_no_code_gives_is_found() -> None:
    known = messages(PROJECT / "components")
    assert any(StepError.__name__ in one or "expected 1 to 99999" in one for one in known)
    assert not any("the moon is full at …" in one for one in known)
