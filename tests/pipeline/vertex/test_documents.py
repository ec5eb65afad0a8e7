"""The documents' commands for Vertex AI, against the services on loopback."""

import re
import shlex
from pathlib import Path

import pytest
from google.cloud import aiplatform_v1 as vertex

from tests.documents.test_links import PAGES
from tests.fakes.cloud import Cloud
from tests.idx_files import write_idx_set
from tests.pipeline.vertex.conftest import Command

LINE = re.compile(
    r"^\.venv/bin/fashion-mnist ((?:submit|deploy|undeploy)\b(?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE
)
LINES = sorted({found for page in PAGES for found in LINE.findall(page.read_text())})
PLACEHOLDERS = {"PROJECT-fashion-mnist": "my-bucket", "BUCKET": "my-bucket"}


def words(line: str) -> list[str]:
    parts = shlex.split(line.replace("\\\n", ""), comments=True)
    return [PLACEHOLDERS.get(word, word) for word in parts if word != "--wait"]


@pytest.mark.parametrize("given", [words(line) for line in LINES], ids=" ".join)
def test_what_the_documents_send_is_accepted(
    given: list[str],
    cloud: Cloud,
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_idx_set(tmp_path / "shoes", 2, 1)
    monkeypatch.chdir(tmp_path)
    version = cloud.models.add(vertex.Model(display_name="fashion-mnist"))
    if given[0] == "undeploy":
        cloud.endpoints.put(cloud.endpoints.add("fashion-mnist"), version)
    done = command(*given)
    assert done.code == 0, done.error
    sent = ("CreatePipelineJob", "DeployModel", "UndeployModel")
    assert any(map(cloud.wire.named, sent)) == ("--dry-run" not in given)
