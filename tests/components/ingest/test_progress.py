import sys

import pytest

from components.ingest.progress import download_progress


def show(capsys: pytest.CaptureFixture[str]) -> str:
    with download_progress("file.gz", 2_000_000) as advance:
        advance(500_000)
        advance(500_000)
    return capsys.readouterr().out


def test_nothing_is_shown_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    assert show(capsys) == ""


def test_the_local_runner_gets_lines_that_replace_each_other(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASHION_MNIST_PROGRESS", "1")
    assert show(capsys) == "file.gz 0.5 of 2.0 MB\r"


def test_a_terminal_gets_a_bar(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert "file.gz" in show(capsys)
