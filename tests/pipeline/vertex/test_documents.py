"""The documents' ``submit`` commands, against the services on loopback."""

import pytest

from pipeline import compiler
from tests.documents.pages import blocks
from tests.documents.shell import Command as Given
from tests.documents.shell import commands
from tests.fakes.cloud import Cloud
from tests.pipeline.vertex.conftest import Command

SUBMITTED = {
    str(command): command
    for block in blocks("sh")
    for command in commands(block.text)
    if command.program == "fashion-mnist" and command.words[1] == "submit"
}
PLACEHOLDERS = {"PROJECT-fashion-mnist": "my-bucket", "BUCKET": "my-bucket"}


@pytest.mark.parametrize("given", SUBMITTED.values(), ids=SUBMITTED)
def test_what_the_documents_submit_is_accepted(
    given: Given, cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "check", lambda: None)
    words = [PLACEHOLDERS.get(word, word) for word in given.words[1:] if word != "--wait"]
    told = command(*words)
    assert told.code == 0, told.error
    assert len(cloud.pipelines.created) == (0 if "--dry-run" in words else 1)
