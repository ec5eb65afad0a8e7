import numpy as np
import pytest

from components.dataset.errors import DataError
from components.dataset.split import allocate, shuffled_positions
from tests.idx_files import FASHION, shuffled_labels

CLASSES = FASHION.classes


@pytest.mark.parametrize("examples", [0, 1, 7, 100, 333, 500])
def test_validation_has_exactly_the_size_asked_for_and_each_class_its_share(examples: int) -> None:
    labels = shuffled_labels([10, 20, 30, 40, 50, 60, 70, 80, 90, 150])
    shares = allocate(labels, CLASSES, examples)
    exact = np.bincount(labels) * examples / len(labels)
    assert shares.sum() == examples
    assert (np.abs(shares - exact) < 1).all()


def test_places_are_a_permutation_with_the_stratified_validation_split_last() -> None:
    labels = shuffled_labels(60)
    positions = shuffled_positions(labels, CLASSES, 55, seed=3)
    assert sorted(positions) == list(range(600))
    held_out = np.bincount(labels[positions >= 545], minlength=10)
    assert held_out.sum() == 55
    assert set(held_out) == {5, 6}


def test_the_seed_decides_order_and_validation_examples() -> None:
    labels = shuffled_labels(20)
    one, same, other = (shuffled_positions(labels, CLASSES, 50, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one >= 150).tolist() != (other >= 150).tolist()


def test_every_stretch_of_a_split_has_all_classes() -> None:
    labels = shuffled_labels(2000)
    order = np.argsort(shuffled_positions(labels, CLASSES, 2000, seed=0))
    # 200 examples of ten classes: 20 each, with a standard deviation of 4.2.
    for stretch in (order[:200], order[17_800:18_000], order[18_000:18_200], order[-200:]):
        assert np.bincount(labels[stretch], minlength=10).min() >= 5
        assert np.bincount(labels[stretch], minlength=10).max() <= 40


def test_a_class_that_is_missing_from_the_data_is_no_error() -> None:
    assert allocate(shuffled_labels([10, 0, 10, 0, 0, 0, 0, 0, 0, 0]), CLASSES, 4).tolist()[:3] == [
        2,
        0,
        2,
    ]


def test_a_class_without_training_examples_left_is_an_error_that_names_it() -> None:
    labels = shuffled_labels([100, 1, 100, 0, 0, 0, 0, 0, 0, 0])
    with pytest.raises(
        DataError, match=r"all 100 examples of class 0 \(T-shirt/top\) .* smaller than"
    ):
        allocate(labels, CLASSES, 200)


def test_a_rare_class_keeps_an_example_to_train_on() -> None:
    labels = shuffled_labels([100, 1, 100, 0, 0, 0, 0, 0, 0, 0])
    assert allocate(labels, CLASSES, 190).tolist()[:4] == [95, 0, 95, 0]
