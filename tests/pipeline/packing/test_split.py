from collections import Counter

import pytest

from pipeline.packing.split import chosen, groups_of


def digests(*texts: str) -> list[bytes]:
    return [text.encode() for text in texts]


def count(contents: list[bytes], labels: list[int], share: float, seed: int = 0) -> Counter[int]:
    """The test pictures of each class."""
    test = chosen(groups_of(contents), labels, share, seed)
    return Counter(label for each, label in zip(contents, labels, strict=True) if each in test)


@pytest.mark.parametrize(
    ("pictures", "share", "expected"),
    [(1, 0.15, 0), (2, 0.15, 1), (2, 0.9, 1), (3, 0.15, 1), (20, 0.15, 3), (1000, 0.15, 150)],
)
def test_each_class_gives_its_share_and_keeps_a_training_picture(
    pictures: int, share: float, expected: int
) -> None:
    contents = digests(*map(str, range(pictures + 40)))
    labels = [0] * pictures + [1] * 40
    assert count(contents, labels, share) == Counter({0: expected, 1: round(40 * share)})


def test_another_seed_chooses_others() -> None:
    contents, labels = digests(*map(str, range(40))), [0] * 40
    one, other, again = (chosen(groups_of(contents), labels, 0.5, seed) for seed in (0, 1, 0))
    assert one == again != other


def test_equal_pictures_are_on_one_side() -> None:
    texts = [str(number // 2) for number in range(20)]
    assert count(digests(*texts), [0] * 20, 0.2) == {0: 4}
    assert count(digests("a", "a", "b", "b", "b"), [0] * 5, 0.1) == {0: 2}
    assert count(digests("a", "a", "a"), [0] * 3, 0.1) == {}


def test_equal_pictures_of_two_classes_count_for_both() -> None:
    contents = digests("both", "a", "both", "b")
    for seed in range(9):
        assert count(contents, [0, 0, 1, 1], 0.5, seed) == {0: 1, 1: 1}
    assert count(digests("both", "both", "b"), [0, 1, 1], 0.5) == {1: 1}
