import pytest

from components.train.trainer.hyperparameters import Hyperparameters
from components.train.trainer.progress import Plan, Progress


@pytest.mark.parametrize(
    ("given", "examples", "plan"),
    [
        (Hyperparameters(epochs=7), 55_000, (256, 214, 1498, 7)),
        (Hyperparameters(train_steps=1000), 55_000, (256, 214, 1000, 5)),
        (Hyperparameters(train_steps=3), 55_000, (256, 214, 3, 1)),
        (Hyperparameters(epochs=2), 100, (100, 1, 2, 2)),
    ],
)
def test_steps_and_epochs_follow_from_each_other(
    given: Hyperparameters, examples: int, plan: tuple[int, ...]
) -> None:
    made = Plan.of(given, examples)
    assert (made.batch_size, made.steps_per_epoch, made.steps, made.epochs) == plan


@pytest.mark.parametrize(
    ("steps", "left"),
    [(0, "0 s left"), (44, "88 s left"), (45, "2 min left"), (300, "10 min left")],
)
def test_the_time_left_follows_from_the_steps_after_the_first(steps: int, left: str) -> None:
    times = iter([60.0, 66.0])
    progress = Progress(lambda: next(times))
    progress.step()
    assert progress.left(steps) == ""
    for _ in range(3):
        progress.step()
    assert progress.left(steps) == left


def test_a_line_is_due_twice_a_second_and_shown_only_where_it_is_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = iter([5.0, 5.4, 5.6])
    progress = Progress(lambda: next(times))
    assert [progress.due() for _ in range(3)] == [True, False, True]
    progress.show("unseen")
    monkeypatch.setenv("FASHION_MNIST_PROGRESS", "1")
    Progress().show("epoch 1/2", "", "loss 0.5")
    assert capsys.readouterr().out == "epoch 1/2  loss 0.5\r"
