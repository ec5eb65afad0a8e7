import os

import pytest

from components.dataset.startup import quiet_start


def test_what_libraries_write_while_they_load_is_swallowed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with quiet_start():
        os.write(2, b"noise\n")
    os.write(2, b"message\n")
    assert capfd.readouterr().err == "message\n"


def test_nothing_is_swallowed_when_loading_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImportError), quiet_start():
        os.write(2, b"the reason\n")
        raise ImportError
    assert capfd.readouterr().err == "the reason\n"
