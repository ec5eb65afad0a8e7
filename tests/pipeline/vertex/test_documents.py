"""The documents' ``submit`` commands, against the services on loopback."""

import re
import shlex

import pytest

from tests.documents.test_links import PAGES
from tests.fakes.cloud import Cloud
from tests.pipeline.vertex.conftest import Command

SUBMIT = re.compile(r"^\.venv/bin/fashion-mnist (submit (?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)
SUBMITTED = sorted({found for page in PAGES for found in SUBMIT.findall(page.read_text())})
PLACEHOLDERS = {"PROJECT-fashion-mnist": "my-bucket", "BUCKET": "my-bucket"}


@pytest.mark.parametrize("given", SUBMITTED)
def test_what_the_documents_submit_is_accepted(given: str, cloud: Cloud, command: Command) -> None:
    parts = shlex.split(given.replace("\\\n", ""))
    words = [PLACEHOLDERS.get(word, word) for word in parts if word != "--wait"]
    done = command(*words)
    assert done.code == 0, done.error
    assert len(cloud.pipelines.created) == (0 if "--dry-run" in words else 1)
