"""What ends a command early, each with the exit code it stands for."""

from typing import ClassVar


class CommandError(Exception):
    """Ends the command with one line that says what to do."""

    exit_code: ClassVar[int] = 1

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows below the cell, by IPython's convention: no traceback."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(CommandError):
    """Wrong use: an unknown parameter, a wrong type, a missing directory, a stale spec."""

    exit_code = 2


class StepFailed(CommandError):
    """A step of the pipeline failed.

    Attributes:
        step: Name of the step's folder under the run.
        lines: The last lines that the step itself wrote; empty when the reason says it all.
    """

    def __init__(self, step: str, reason: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.step = step
        self.lines = lines

    def _render_traceback_(self) -> list[str]:
        return [*super()._render_traceback_(), *self.lines]


class CloudError(CommandError):
    """A service of Google Cloud refused, or did not answer."""


class PreflightFailed(CommandError):
    """Something that a run on Vertex AI needs is not there."""


class JobFailed(CommandError):
    """A pipeline job failed, was cancelled or was paused."""


class GateRefused(CommandError):
    """The model did not pass the gate and ``--require-upload`` was given."""

    exit_code = 3


class Interrupted(CommandError):
    """Ctrl-C or SIGTERM stopped the command."""

    exit_code = 130
