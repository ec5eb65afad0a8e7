import math
from typing import Any

from benchmarks import accuracy
from benchmarks.accuracy import LONG, SHORT, Trained

CURVE = [(10.0, 0.90), (20.0, 0.93), (30.0, 0.91)]


def trained(who: str, seed: int = 0, **changed: Any) -> Trained:
    facts: dict[str, Any] = {"curve": CURVE, "seconds": 30.0, "test_accuracy": 0.94, "share": 0.6}
    facts["precision"] = "bfloat16"
    return Trained(who, seed, **{**facts, **changed})


def test_a_row_for_each_preset_and_peer_from_all_its_seeds() -> None:
    runs = [trained(who, seed) for who in (*SHORT, *LONG) for seed in (0, 1, 2)]
    rows = {row.name: row for row in accuracy.rows(runs)}
    assert rows["test accuracy: default"].values == [0.94] * 3
    assert rows["test accuracy: default"].met
    assert not rows["test accuracy: best"].met


def test_targets_are_of_the_precision_that_was_trained_in() -> None:
    met = {
        precision: accuracy.rows([trained("accurate", precision=precision, test_accuracy=0.941)])[0]
        for precision in ("bfloat16", "float32")
    }
    assert (met["bfloat16"].met, met["float32"].met) == (False, True)


def test_a_peer_that_never_gets_there_counts_with_all_of_its_time() -> None:
    low = [(100.0, 0.91)]
    row = accuracy.race([trained("fast")], [trained("cnn", curve=low, seconds=100.0)])
    assert row.median == 0.2
    assert "guide never with seeds 0" in row.detail


def test_a_preset_that_never_gets_there_has_lost() -> None:
    row = accuracy.race([trained("fast", curve=[(10.0, 0.91)])], [trained("cnn")])
    assert row.median == math.inf
    assert not row.met
    assert row.detail.endswith("; fast never with seeds 0")
