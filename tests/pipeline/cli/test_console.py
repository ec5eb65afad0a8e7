"""How commands print."""

import pytest

from pipeline.cli.console import print_table, waiting


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "60"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("terminal")
def test_a_table_fits_a_narrow_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("Name", "What"), [("a" * 20, "word " * 30), ("b", "")])
    _header, first, *rest, last = capsys.readouterr().out.splitlines()
    assert first.startswith("a" * 20 + " word word")
    assert len(rest) == 3
    assert last.strip() == "b"
    assert max(map(len, (first, *rest))) <= 60


@pytest.mark.usefixtures("terminal")
def test_waiting_is_shown_on_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with waiting("the bus"):
        pass
    assert "the bus" in capfd.readouterr().err
