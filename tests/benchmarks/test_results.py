import json
from pathlib import Path

import pytest

from benchmarks import table
from benchmarks.accuracy import Trained
from benchmarks.figure import Figure, Target
from benchmarks.results import Results

DECODE = Figure("decode / loop", [11.0, 12.0], target=Target(10), detail="loop 7 s")
SPEED = Figure("memory", [0.5], "MiB", Target(0.25, at_most=True))
RUN = Trained("fast", 0, [[10.0, 0.9]], 10.0, 0.91, 0.5)  # type: ignore[list-item]


def test_a_later_part_is_added_and_a_part_that_is_measured_again_replaced(tmp_path: Path) -> None:
    Results(tmp_path / "new").add("decode", [SPEED])
    Results(tmp_path / "new").add("decode", [DECODE])
    later = Results(tmp_path / "new")
    later.add("accuracy", [SPEED], [RUN])
    assert later.figures == [DECODE, SPEED]
    assert later.runs == [RUN]
    assert Results(tmp_path / "new").figures == [DECODE, SPEED]
    page = (tmp_path / "new" / "results.md").read_text()
    assert "decode / loop" in page
    assert "\n\nMeasured at revision " in page
    assert page.endswith(f"{table.machine()}\n")


def test_figures_of_another_machine_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(table, "machine", lambda: "another")
        Results(tmp_path).add("decode", [DECODE])
    assert json.loads((tmp_path / "results.json").read_text())["machine"] == "another"
    assert Results(tmp_path).figures == []
