"""Sends what ``submit`` was asked for: preflight, job or schedule, experiment."""

import json
from collections.abc import Callable
from typing import Any

from pipeline.program import command
from pipeline.vertex import connection, experiment, jobs, preflight, schedules, submission
from pipeline.vertex.checks import Needs
from pipeline.vertex.refusals import explained
from pipeline.vertex.target import Target

Say = Callable[[str], None]


def as_json(request: Any) -> str:
    """A request as it is sent: its fields, and the job's spec among them."""
    from google.protobuf import json_format

    content = json_format.MessageToDict(type(request).pb(request))
    return json.dumps(content, indent=2, ensure_ascii=False, sort_keys=True)


def credentials(target: Target) -> Any:
    """The environment's credentials.

    Raises:
        CloudError: There are none.
    """
    with explained("sign in", target):
        return connection.credentials()


def job(request: Any, needs: Needs, experiment_name: str, say: Say) -> tuple[Any, Any]:
    """Looks at what the job needs, and creates it.

    Args:
        request: A ``CreatePipelineJobRequest``.
        needs: What it needs.
        experiment_name: The experiment to show it in; empty: none.
        say: Is told what happens.

    Returns:
        The client, to follow the job with, and the job as the service has it.

    Raises:
        CloudError: Something was refused.
        PreflightFailed: Something is missing.
    """
    target = needs.target
    found = credentials(target)
    preflight.check(needs, found, say)
    context = experiment.prepare(experiment_name, target, found) if experiment_name else ""
    client = connection.pipelines(target, found)
    with explained("submit the job", target):
        created = submission.create(client, request)
    say(f"submitted {request.pipeline_job_id}: {jobs.page(target, request.pipeline_job_id)}")
    if context:
        metadata = connection.metadata(target, found)
        experiment.add(client, metadata, context, target, request.pipeline_job_id)
    return client, created


def schedule(request: Any, needs: Needs, say: Say) -> Any:
    """Looks at what the runs need, and creates the schedule.

    Returns:
        The schedule as the service has it.

    Raises:
        CloudError: Something was refused.
        PreflightFailed: Something is missing.
    """
    found = credentials(needs.target)
    preflight.check(needs, found, say)
    created = schedules.create(connection.schedules(needs.target, found), needs.target, request)
    number = created.name.rsplit("/", 1)[1]
    say(f"scheduled as {number}: {request.schedule.cron}")
    say(f"`{command(f'schedules pause {number} {needs.target.flags}')}` stops it for a while")
    return created
