from pathlib import Path

import pytest

from benchmarks.accuracy import LONG, PEERS, SHORT, Trained
from benchmarks.plot import COLORS, draw
from components.train.trainer.hyperparameters import PRESETS

CURVE = [(10.0, 0.90), (20.0, 0.93)]


def trained(who: str) -> Trained:
    return Trained(who, 0, CURVE, 20.0, 0.92)


def test_every_preset_is_measured_and_the_default() -> None:
    assert {*SHORT, *LONG} - {*PEERS} == {*PRESETS, "default"}


def test_each_preset_and_peer_is_drawn_in_a_color_of_its_own(tmp_path: Path) -> None:
    measured = (*SHORT, *LONG)
    picture = draw([trained(who) for who in measured], tmp_path / "plot.svg").read_text()
    assert len(set(COLORS.values())) == len(COLORS)
    for who in measured:
        assert COLORS[who] in picture
        assert f"<!-- {PEERS.get(who, f'this project, {who}')} -->" in picture


def test_a_series_without_a_color_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="new"):
        draw([trained("new")], tmp_path / "plot.svg")
