"""The errors that end a command with one line, and the exit code of each.

    CommandError            1   one line that says what to do
      UsageError            2   wrong use: a parameter, an option, a directory, a stale spec
      StepFailed            1   a step of the pipeline failed
      CloudError            1   a service (Google Cloud, Kubeflow) refused or did not answer
      GateRefused           3   the gate refused the model, and --require-upload was given
      Interrupted         130   Ctrl-C or SIGTERM stopped the command

A step's own errors (``components.dataset.errors.StepError``) and ``OSError`` end a command in the
same way, with exit code 1.
"""

from typing import ClassVar


class CommandError(Exception):
    """Ends the command with one line that says what to do."""

    exit_code: ClassVar[int] = 1

    def _render_traceback_(self) -> list[str]:
        """What IPython shows below a notebook's cell instead of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class UsageError(CommandError):
    """Wrong use: an unknown parameter, a wrong type, a missing directory, a stale spec."""

    exit_code = 2


class StepFailed(CommandError):
    """A step of the pipeline failed.

    Attributes:
        step: Name of the step's folder under the run.
        lines: The last lines that the step wrote; empty if the reason says it all.
    """

    def __init__(self, step: str, reason: str, lines: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.step = step
        self.lines = lines

    def _render_traceback_(self) -> list[str]:
        return [*super()._render_traceback_(), *self.lines]


class CloudError(CommandError):
    """A service, of Google Cloud or Kubeflow, refused or did not answer."""


class GateRefused(CommandError):
    """The gate refused the model, and ``--require-upload`` was given."""

    exit_code = 3


class Interrupted(CommandError):
    """Ctrl-C or SIGTERM stopped the command."""

    exit_code = 130
