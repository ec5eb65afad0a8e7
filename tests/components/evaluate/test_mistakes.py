from typing import Any

import numpy as np
import pytest

from components.evaluate.mistakes import confident_mistakes, confused_pairs, shown
from components.evaluate.scores import confusion
from tests.components.evaluate.test_scores import answers


def pairs(labels: list[int], predicted: list[int], sure: list[float]) -> list[dict[str, Any]]:
    truth = np.array(labels, np.uint8)
    matrix = confusion(truth, np.array(predicted), 10)
    return confused_pairs(answers(predicted, sure), truth, matrix)


def test_mistakes_come_surest_first() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2], np.uint8)
    found = confident_mistakes(answers([0, 0, 1, 1, 2, 2], [0.9, 0.6, 0.8, 0.5, 0.99, 1.0]), labels)
    assert [mistake["index"] for mistake in found] == [4, 2]
    assert (found[0]["label"], found[0]["predicted"]) == (1, 2)
    assert found[0]["probability"] == pytest.approx(0.99)
    assert found[0]["label_probability"] == pytest.approx(0.01 / 9)


def test_at_most_24_mistakes_are_kept() -> None:
    wrong = np.tile(np.eye(10, dtype=np.float32)[[1]], (100, 1))
    found = confident_mistakes(wrong, np.zeros(100, np.uint8))
    assert [mistake["index"] for mistake in found] == list(range(24))


def test_a_pair_counts_both_directions_and_begins_with_the_more_frequent_one() -> None:
    (pair,) = pairs([6, 6, 0, 0, 0, 3], [6, 0, 6, 6, 0, 3], [0.9, 0.5, 0.6, 0.7, 0.8, 1.0])
    assert pair["count"] == 3
    first, second = pair["sides"]
    assert (first["label"], first["predicted"], first["count"]) == (0, 6, 2)
    assert first["share"] == pytest.approx(2 / 3)
    assert [example["index"] for example in first["mistaken"]] == [3, 2]
    assert [example["index"] for example in first["recognised"]] == [4]
    assert (second["label"], second["predicted"], second["count"]) == (6, 0, 1)
    assert [example["index"] for example in second["mistaken"]] == [1]
    assert [example["index"] for example in second["recognised"]] == [0]


def test_the_most_frequent_pairs_come_first_and_at_most_five_of_six_examples_a_kind() -> None:
    labels, predicted = [], []
    for other in range(1, 8):
        labels += [0] * (10 + other)
        predicted += [other] * (10 + other)
    found = pairs(labels, predicted, [0.9] * len(labels))
    assert [pair["count"] for pair in found] == [17, 16, 15, 14, 13]
    assert all(len(pair["sides"][0]["mistaken"]) == 6 for pair in found)
    assert found[0]["sides"][0]["recognised"] == []


def test_the_examples_to_show_are_those_named_each_once() -> None:
    labels, predicted, sure = [0, 0, 1, 2], [0, 1, 1, 2], [0.9, 0.8, 0.7, 0.6]
    wrong = confident_mistakes(answers(predicted, sure), np.array(labels, np.uint8))
    assert shown(wrong, pairs(labels, predicted, sure)) == [0, 1, 2]
