"""Follows a job until it ends, over whatever the network does in between."""

import contextlib
import time
from collections.abc import Callable
from typing import Any, Final

from pipeline.errors import CloudError
from pipeline.program import command
from pipeline.runs.record import Task, Watcher
from pipeline.vertex import jobs
from pipeline.vertex.connection import SECONDS, passing
from pipeline.vertex.jobs import state
from pipeline.vertex.progress import Progress
from pipeline.vertex.refusals import explain, explained
from pipeline.vertex.target import Target

EVERY: Final = 5.0
"""Seconds between two looks at a job."""
PATIENCE: Final = 900.0
"""Seconds for which the service may be out of reach."""
LONGEST_PAUSE: Final = 60.0
ENDED: Final = ("SUCCEEDED", "FAILED", "CANCELLED", "PAUSED")
"""The states in which a job does not go on by itself."""

Watch = Callable[[list[Task]], contextlib.AbstractContextManager[Watcher]]


def follow(
    client: Any,
    target: Target,
    job_id: str,
    watch: Watch,
    complain: Callable[[str], None],
    *,
    every: float = EVERY,
    patience: float = PATIENCE,
) -> tuple[Any, dict[str, Task]]:
    """Shows a job's tasks until it has ended.

    Args:
        client: A ``PipelineServiceClient``.
        target: Project and region.
        job_id: The job.
        watch: Opens what is told of the tasks while the job lasts.
        complain: Is told when the service is out of reach, and when it is back.
        every: Seconds between two looks.
        patience: Seconds for which the service may be out of reach.

    Returns:
        The job as it ended, and its tasks.

    Raises:
        CloudError: There is no such job, it cannot be read, or the service stayed out of reach.
    """
    job = jobs.get(client, target, job_id)
    progress = Progress(job, target.project)
    look = _Look(client, target, job_id, complain, patience)
    with watch(list(progress.tasks.values())) as watcher:
        progress.tell(job, watcher)
        while state(job) not in ENDED:
            time.sleep(every)
            job = look.again()
            progress.tell(job, watcher)
        progress.table.settle()
    return job, progress.tasks


class _Look:
    """Looks at a job, again and again while the service is out of reach."""

    def __init__(
        self,
        client: Any,
        target: Target,
        job_id: str,
        complain: Callable[[str], None],
        patience: float,
    ) -> None:
        self.client = client
        self.target = target
        self.job_id = job_id
        self.complain = complain
        self.patience = patience

    def again(self) -> Any:
        began, pause = time.monotonic(), 0.5
        while True:
            try:
                job = self._get()
            except Exception as error:
                waited = time.monotonic() - began
                if not passing(error):
                    self._refuse(error)
                if waited >= self.patience:
                    raise CloudError(self._out_of_reach(error, waited)) from error
                if pause == 0.5:
                    self.complain(f"{self._why(error)}; trying again, and the job goes on")
            else:
                if pause > 0.5:
                    self.complain("the service answers again")
                return job
            time.sleep(min(pause, self.patience))
            pause = min(2 * pause, LONGEST_PAUSE)

    def _get(self) -> Any:
        name = jobs.resource(self.target, self.job_id)
        return self.client.get_pipeline_job(name=name, timeout=SECONDS)

    def _refuse(self, error: Exception) -> None:
        missing = jobs.missing(self.target, self.job_id)
        with explained("read the job", self.target, missing=missing):
            raise error

    def _why(self, error: Exception) -> str:
        return explain(error, "read the job", self.target)

    def _out_of_reach(self, error: Exception, waited: float) -> str:
        return (
            f"{self._why(error)}; gave up after {waited:.0f} s, and the job goes on: "
            f"`{come_back(self.target, self.job_id)}` follows it again"
        )


def come_back(target: Target, job_id: str) -> str:
    """The command that follows a job again."""
    return command(f"watch {job_id} {target.flags}")
