"""What a step itself says, without what kfp's executor says around it."""

import re
from typing import Final

EXECUTOR: Final = re.compile(r"^\[KFP Executor [^]]*\]: ?")
AROUND: Final = (
    "Looking for component",
    "Loading KFP component",
    "Got executor_input",
    "Wrote executor output file",
)
"""How the lines begin that kfp's executor writes about itself."""


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
