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
def test_the_first_epoch_and_without_losses_every_epoch_takes_every_example_once(
    by_loss: bool,
) -> None:
    made = sampler(by_loss=by_loss)
    draws = [first_epoch(made), *([] if by_loss else made.epoch(2, STEPS))]
    for number, draw in enumerate(draws):
        assert sorted(draw.indices) == list(range(COUNT))
        assert (set(draw.weights), draw.number) == ({1.0}, number)
    assert len({draw.indices.tobytes() for draw in draws}) == len(draws)


def test_later_draws_take_the_hardest_and_some_of_the_others_that_stand_for_all_others() -> None:
    by_loss = sampler()
    first_epoch(by_loss)
    draws = list(by_loss.epoch(2, STEPS))
    assert [draw.number for draw in draws] == [1, 2]
    for draw in draws:
        hard = draw.indices >= 600
        assert (len(set(draw.indices)), hard.sum()) == (500, 400)
        assert draw.weights.mean() == pytest.approx(1)
        # 100 others stand for 600.
        assert set(draw.weights[~hard] / draw.weights[hard][0]) == {6.0}
    assert set(draws[0].indices) != set(draws[1].indices)


def test_a_draw_depends_on_the_losses_that_were_recorded() -> None:
    by_loss = sampler()
    first_epoch(by_loss)
    draws = by_loss.epoch(2, STEPS)
    draw = next(draws)
    by_loss.record(draw, np.where(draw.indices < 250, 9999, 0).astype(np.float32))
    again = set(next(draws).indices)
    assert {index for index in draw.indices if index < 250} < again
    assert set(range(750, 1000)) - again


def test_an_example_that_was_never_seen_is_among_the_hardest() -> None:
    rest = sampler(count=COUNT + 5)
    unseen = set(range(COUNT + 5)) - set(first_epoch(rest).indices)
    assert len(unseen) == 5
    draw, _ = rest.epoch(2, STEPS)
    assert unseen < set(draw.indices)


@pytest.mark.parametrize(("steps", "sizes"), [(1, [10]), (7, [30, 40])])
def test_an_epoch_has_exactly_its_steps(steps: int, sizes: list[int]) -> None:
    by_loss = sampler()
    first_epoch(by_loss)
    assert [len(draw.indices) for draw in by_loss.epoch(2, steps)] == sizes


def test_the_same_seed_gives_the_same_draws_and_another_seed_others() -> None:
    same, again, other = (first_epoch(sampler(seed)).indices.tobytes() for seed in (0, 0, 1))
    assert same == again != other
