"""The command line as a person has to type it here."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

NAME: Final = "fashion-mnist"


def command(words: str) -> str:
    """A command of this project, by its name, or by its path where a shell does not find that.

    Args:
        words: What follows the program, as for a shell: ``run --preset fast``.
    """
    return f"{_program()} {words}".rstrip()


def _program() -> str:
    own = Path(sys.executable).with_name(NAME)
    found = shutil.which(NAME)
    if not own.is_file() or (found is not None and own.samefile(found)):
        return NAME
    here = Path.cwd()
    return shlex.quote(str(own.relative_to(here) if own.is_relative_to(here) else own))
