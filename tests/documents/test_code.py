"""The blocks of Python, JSON and YAML in the documents."""

import json
import os
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.compiler import PROJECT
from pipeline.local import emulator
from tests.documents.pages import Block, blocks

BY_ITSELF = ("ingest", "decode", "train", "evaluate", "upload")
"""The pages of the components in the order in which their examples build on each other."""


@pytest.mark.real_data
def test_the_components_run_by_themselves_as_their_pages_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    known: dict[str, Any] = {"__name__": "example"}
    pages = [PROJECT / "docs" / "components" / f"{name}.md" for name in BY_ITSELF]
    python = blocks("python")
    # The README's lines are run by the tests of the notebook.
    assert {block.page for block in python} == {*pages, PROJECT / "README.md"}
    for page in pages:
        for block in [block for block in python if block.page == page]:
            exec(compile(block.text, str(block), "exec"), known)
    assert known["passed"] in (True, False)
    assert "STORAGE_EMULATOR_HOST" not in os.environ
    assert emulator.LOCAL_BUCKET in known["raw"].uri


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_yaml_is_yaml(block: Block) -> None:
    assert isinstance(yaml.safe_load(textwrap.dedent(block.text)), dict)
