"""What a step itself says, without what kfp's executor says around it."""

import re
from collections.abc import Sequence
from typing import Final

EXECUTOR: Final = re.compile(r"^\[KFP Executor [^]]*\]: ?")
AROUND: Final = (
    "Looking for component",
    "Loading KFP component",
    "Got executor_input",
    "Wrote executor output file",
)
"""How the lines begin that kfp's executor writes about itself."""
FORESEEN: Final = re.compile(r"^(?:components|pipeline)(?:\.\w+)+: ")
"""How Python ends the traceback of one of the project's own errors."""
TRACEBACK: Final = (
    "Traceback (most recent call last):",
    "During handling of the above exception",
    "The above exception was the direct cause",
)


class StepOutput:
    """Reads the lines of one step in order and tells which are the step's own."""

    def __init__(self) -> None:
        self._in_input = False

    def own(self, line: str) -> str | None:
        """The line as the step wrote it; None where it is the executor's."""
        if self._in_input:
            # The executor dumps its input as indented JSON, from a brace to a brace.
            self._in_input = line != "}"
            return None
        text = EXECUTOR.sub("", line)
        if text != line and text.startswith(AROUND):
            self._in_input = text.startswith("Got executor_input")
            return None
        return text if text.strip() else None


class Tracebacks:
    """Holds tracebacks back while they are written: the error line of one may say it all."""

    def __init__(self) -> None:
        self.held: list[str] = []

    def feed(self, line: str) -> list[str]:
        """The lines that can be shown now, ``line`` among them unless it is a traceback's."""
        if not self.held and not line.startswith(TRACEBACK[0]):
            return [line]
        inside = line.startswith((" ", *TRACEBACK)) or self.held[-1].startswith(" ")
        if inside or foreseen(self.held):
            self.held.append(line)
            return []
        return [*self.release(), line]

    def release(self) -> list[str]:
        """What was held back; nothing where it ends in an error that the project foresaw."""
        held, self.held = self.held, []
        return [] if foreseen(held) else held


def foreseen(lines: Sequence[str]) -> str:
    """The message of the project's own error at the end of a traceback; empty without one."""
    for index in range(len(lines) - 1, -1, -1):
        if FORESEEN.match(lines[index]):
            return "\n".join([FORESEEN.sub("", lines[index]), *lines[index + 1 :]]).strip()
    return ""
