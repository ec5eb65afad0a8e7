"""Every command of the reliability table passes tests that there are."""

import re
import shlex
from pathlib import Path
from typing import Final

import pytest

from pipeline.compiler import PROJECT

COMMANDS: Final = sorted(
    set(
        re.findall(r"`make (test|soak) ARGS=(\"[^\"]+\"|\S+)`", (PROJECT / "README.md").read_text())
    )
)
FILES: Final = sorted((PROJECT / "tests").rglob("test_*.py"))


def names(path: Path) -> list[str]:
    """What ``-k`` finds of a file: its name, and those of its classes and tests."""
    return [path.stem, *re.findall(r"^ *(?:def|class) (test\w+|Test\w+)", path.read_text(), re.M)]


def selected(arguments: list[str]) -> list[Path]:
    """The files with tests that a command passes; a part of it that selects none is an error."""
    files = []
    given = [each for each in arguments if each.startswith("tests/")]
    for place in given:
        path, _, name = place.partition("::")
        assert (PROJECT / path).exists(), path
        found = [file for file in FILES if file.is_relative_to(PROJECT / path)]
        assert found, path
        assert not name or name in names(found[0]), place
        files += found
    files = files or FILES
    if "-k" in arguments:
        words = arguments[arguments.index("-k") + 1].split(" or ")
        each = [[file for file in files if word in " ".join(names(file))] for word in words]
        assert all(each), words
        files = [file for found in each for file in found]
    return files


@pytest.mark.parametrize(("target", "arguments"), COMMANDS)
def test_each_command_selects_tests(target: str, arguments: str) -> None:
    files = selected(shlex.split(arguments.strip('"')))
    if target == "soak":
        assert any("soak" in file.read_text() for file in files)


def test_the_table_has_commands() -> None:
    assert len(COMMANDS) > 20


@pytest.mark.parametrize("arguments", ["tests/test_gone.py", "tests/test_kills.py::test_gone",
                                       "-k 'secrets or never_heard_of'"])  # fmt: skip
def test_a_command_that_selects_nothing_is_found(arguments: str) -> None:
    with pytest.raises(AssertionError):
        selected(shlex.split(arguments))
