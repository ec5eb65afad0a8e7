import pytest

from pipeline.runs import signals


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (137, "the system killed it (exit code 137), most likely because memory ran out; close"),
        (-9, "the system killed it (exit code 137)"),
        (
            132,
            "a signal ended it (Illegal instruction, exit code 132): a package needs",
        ),
        (135, "a signal ended it (Bus error, exit code 135): the disk or the shared memory may be"),
        (-15, "a signal ended it (Terminated, exit code 143)"),
    ],
)
def test_an_exit_code_names_its_signal(code: int, said: str) -> None:
    assert signals.of_exit_code(code, "train").startswith(said)


@pytest.mark.parametrize("code", [0, 1, 2, 128, 255])
def test_other_exit_codes_name_none(code: int) -> None:
    assert signals.of_exit_code(code, "train") == ""


def test_the_way_out_fits_the_step() -> None:
    assert "batch_size" in signals.of_exit_code(137, "train")
    assert "batch_size" not in signals.of_exit_code(137, "decode")
    assert "--machine-type" in signals.of_message("exit code 137", "train")
    assert "pipeline/definition.py" in signals.of_message("exit code 137", "decode")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("The replica workerpool0-0 exited with a non-zero status of 137.", True),
        ("The replica master 0 ran out-of-memory and exited with status 9(SIGKILL)", True),
        ("OOMKilled: exit code: 137", True),
        ("The replica workerpool0-0 exited with a non-zero status of 1. Job 137", False),
        ("There was no machine free.", False),
    ],
)
def test_an_error_of_the_service_shows_that_memory_ran_out(text: str, named: bool) -> None:
    assert bool(signals.of_message(text, "train")) is named
