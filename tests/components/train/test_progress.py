import pytest

from components.train.trainer.hyperparameters import Hyperparameters
from components.train.trainer.progress import SWITCH, Plan, Progress


@pytest.mark.parametrize(
    ("given", "examples", "plan"),
    [
        (Hyperparameters(epochs=7), 55_000, (256, 214, 1498, 7)),
        (Hyperparameters(train_steps=1000), 55_000, (256, 214, 1000, 5)),
        (Hyperparameters(train_steps=3), 55_000, (256, 214, 3, 1)),
        (Hyperparameters(epochs=2), 100, (100, 1, 2, 2)),
        (Hyperparameters(), 55_000, (256, 214, 856, 4)),
        (Hyperparameters(), 5000, (256, 19, 817, 43)),
        (Hyperparameters(), 213, (8, 26, 806, 31)),
        (Hyperparameters(), 3, (1, 3, 801, 267)),
    ],
)
def test_steps_and_epochs_follow_from_each_other(
    given: Hyperparameters, examples: int, plan: tuple[int, ...]
) -> None:
    made = Plan.of(given, examples)
    assert (made.batch_size, made.steps_per_epoch, made.steps, made.epochs) == plan


def test_a_line_is_due_twice_a_second_and_has_the_time_left_after_the_first_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = iter([60.0, 60.4, 60.6, 66.0, 66.0, 66.0])
    monkeypatch.setenv(SWITCH, "1")
    progress = Progress(lambda: next(times))
    assert progress.due()
    progress.show("epoch 1/2", "9 images/s", 50)
    assert [progress.due() for _ in range(3)] == [False, True, True]
    for left in (44, 45):
        progress.show("epoch 1/2", "9 images/s", left)
    monkeypatch.delenv(SWITCH)
    Progress().show("unseen", "", 0)
    assert capsys.readouterr().out.split("\r") == [
        "epoch 1/2  9 images/s",
        "epoch 1/2  88 s left  9 images/s",
        "epoch 1/2  2 min left  9 images/s",
        "",
    ]
