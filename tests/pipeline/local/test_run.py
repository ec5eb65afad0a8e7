"""How a run begins: the source, the steps' environment, the options."""

from pathlib import Path

import pytest
from requests.utils import should_bypass_proxies

from pipeline.errors import UsageError
from pipeline.local import run as local
from pipeline.runs.root import Root


@pytest.mark.parametrize("source", ["gs://photos/raw", "gs://fashion-mnist-local-2/raw"])
def test_a_real_bucket_is_refused_with_the_command_that_copies_it(source: str) -> None:
    with pytest.raises(UsageError, match=rf"`gcloud storage cp '{source}/\*\.gz' DIRECTORY`"):
        local.check_source(source)


def test_variables_that_reach_into_a_step_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("no_proxy", "example.org")
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    environment = local.step_environment("http://127.0.0.1:1", tmp_path, Root(tmp_path), "d")
    assert "PYTHONPATH" not in environment
    assert environment["no_proxy"] == "example.org,127.0.0.1,localhost"
    monkeypatch.setenv("no_proxy", environment["no_proxy"])
    assert should_bypass_proxies("http://127.0.0.1:1", None)
    assert environment["TMPDIR"] == str(tmp_path)
