import numpy as np
import pytest

from components.train.trainer.sampling import Draw, Sampler

COUNT, BATCH, STEPS = 1000, 10, 100


def first_epoch(sampler: Sampler) -> Draw:
    """Draws it and records a loss for each example: its index."""
    (draw,) = sampler.epoch(1, STEPS)
    sampler.record(draw, draw.indices.astype(np.float32))
    return draw


def sampler(seed: int = 0, *, by_loss: bool = True, count: int = COUNT) -> Sampler:
    return Sampler(count, BATCH, seed, by_loss=by_loss)


@pytest.mark.parametrize("by_loss", [True, False])
def test_the_first_epoch_takes_every_example_once(by_loss: bool) -> None:
    draw = first_epoch(sampler(by_loss=by_loss))
    assert sorted(draw.indices) == list(range(COUNT))
    assert set(draw.weights) == {1.0}
    assert draw.number == 0


def test_without_losses_every_epoch_does_in_another_order() -> None:
    uniform = sampler(by_loss=False)
    first = first_epoch(uniform)
    (second,) = uniform.epoch(2, STEPS)
    assert sorted(second.indices) == list(range(COUNT))
    assert (first.indices != second.indices).any()
    assert second.number == 1


def test_later_rounds_take_the_hardest_and_some_of_the_others() -> None:
    by_loss = sampler()
    first_epoch(by_loss)
    rounds = list(by_loss.epoch(2, STEPS))
    assert [draw.number for draw in rounds] == [1, 2]
    for draw in rounds:
        assert len(set(draw.indices)) == 500
        assert set(range(750, 1000)) < set(draw.indices)
    assert set(rounds[0].indices) != set(rounds[1].indices)


def test_the_weights_make_the_others_stand_for_all_of_them() -> None:
    by_loss = sampler()
    first_epoch(by_loss)
    draw, _ = by_loss.epoch(2, STEPS)
    hard = draw.indices >= 750
    assert draw.weights.mean() == pytest.approx(1)
    assert draw.weights.dtype == np.float32
    # 250 others stand for 750.
    assert set(draw.weights[~hard] / draw.weights[hard][0]) == {3.0}


def test_the_weighted_mean_of_many_rounds_is_that_of_all_examples() -> None:
    by_loss = sampler()
    first_epoch(by_loss)
    values = np.random.default_rng(1).normal(size=COUNT)
    means = [
        np.average(values[draw.indices], weights=draw.weights)
        for number in range(2, 202)
        for draw in by_loss.epoch(number, STEPS)
    ]
    assert np.mean(means) == pytest.approx(values.mean(), abs=0.01)


def test_a_round_hangs_on_the_losses_that_were_recorded() -> None:
    by_loss = sampler()
    first_epoch(by_loss)
    rounds = by_loss.epoch(2, STEPS)
    draw = next(rounds)
    by_loss.record(draw, np.where(draw.indices < 250, 9999, 0).astype(np.float32))
    again = set(next(rounds).indices)
    assert {index for index in draw.indices if index < 250} < again
    assert set(range(750, 1000)) - again


def test_an_example_that_was_never_seen_is_among_the_hardest() -> None:
    rest = sampler(count=COUNT + 5)
    first = first_epoch(rest)
    unseen = set(range(COUNT + 5)) - set(first.indices)
    assert len(unseen) == 5
    draw, _ = rest.epoch(2, STEPS)
    assert unseen < set(draw.indices)


@pytest.mark.parametrize(("steps", "sizes"), [(1, [10]), (2, [10, 10]), (7, [30, 40])])
def test_an_epoch_has_exactly_its_steps(steps: int, sizes: list[int]) -> None:
    by_loss = sampler()
    first_epoch(by_loss)
    assert [len(draw.indices) for draw in by_loss.epoch(2, steps)] == sizes


def test_the_same_seed_gives_the_same_rounds_and_another_seed_others() -> None:
    indices = []
    for seed in (0, 0, 1):
        by_loss = sampler(seed)
        first_epoch(by_loss)
        indices.append(next(by_loss.epoch(2, STEPS)).indices)
    assert (indices[0] == indices[1]).all()
    assert (indices[0] != indices[2]).any()
