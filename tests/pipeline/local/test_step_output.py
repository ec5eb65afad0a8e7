from pipeline.local.step_output import StepOutput, Tracebacks

FORESEEN = [
    "Traceback (most recent call last):",
    '  File "a.py", line 1, in read',
    "OSError: [Errno 28] No space left on device",
    "The above exception was the direct cause of the following exception:",
    "Traceback (most recent call last):",
    '  File "a.py", line 2, in write',
    "components.dataset.errors.DiskError: the disk is full",
    "free some space",
]
BUG = [*FORESEEN[:2], "KeyError: 'loss'"]


def shown(lines: list[str]) -> list[str]:
    tracebacks = Tracebacks()
    now = [shown for line in lines for shown in tracebacks.feed(line)]
    return [*now, *tracebacks.release()]


def test_what_the_executor_says_of_itself_is_left_out() -> None:
    output = StepOutput()
    told = [
        "[KFP Executor 2026-11-24 03:00:00,000 INFO]: Got executor_input:",
        "{",
        '    "inputs": {}',
        "}",
        "[KFP Executor 2026-11-24 03:00:00,000 INFO]: 4 of 4 files uploaded",
        "",
        "printed",
    ]
    assert [output.own(line) for line in told] == [
        *[None] * 4,
        "4 of 4 files uploaded",
        None,
        "printed",
    ]


def test_a_traceback_that_ends_in_a_foreseen_error_is_left_out() -> None:
    assert shown(["reading", *FORESEEN]) == ["reading"]


def test_any_other_traceback_is_shown() -> None:
    assert shown(["reading", *BUG]) == ["reading", *BUG]


def test_a_traceback_that_the_step_survived_is_shown_before_what_follows() -> None:
    tracebacks = Tracebacks()
    assert [tracebacks.feed(line) for line in BUG] == [[], [], []]
    assert tracebacks.feed("going on") == [*BUG, "going on"]
