"""How a job ended, for a person and as an exit code."""

from typing import Any, Final

from rich.console import Console

from pipeline.duration import duration
from pipeline.errors import JobFailed
from pipeline.runs.record import Task
from pipeline.steps import version_of
from pipeline.vertex import jobs
from pipeline.vertex.jobs import CONSOLE, page, state
from pipeline.vertex.progress import failed, failure, seconds
from pipeline.vertex.target import Target
from pipeline.vertex.watching import come_back

BROWSER: Final = "https://storage.cloud.google.com"
"""Shows an object to whoever is signed in and may read it."""


def tell(job: Any, tasks: dict[str, Task], target: Target, console: Console) -> None:
    """Says what came out of a job: accuracy, verdict, version, where report and page are."""
    job_id = job.name.rsplit("/", 1)[1]
    took = duration(seconds(job.start_time or job.create_time, job.end_time))
    lines = [f"Run        {job_id} in {took}"]
    found = tasks["evaluate"].outputs if "evaluate" in tasks else {}
    if "metrics" in found:
        lines.append(f"Accuracy   {found['metrics'].metadata['accuracy']:.4f} on the test set")
    if "evaluation" in found:
        lines.append(f"Verdict    {found['evaluation'].metadata['reason']}")
    if name := uploaded(tasks):
        lines += [f"Model      {name}", f"           {_model_page(name, target)}"]
    elif state(job) == "SUCCEEDED":
        lines.append("Model      not uploaded")
    if "report" in found:
        lines.append(f"Report     {found['report'].uri.replace('gs:/', BROWSER, 1)}")
    lines.append(f"Page       {page(target, job_id)}")
    console.print("", *lines, sep="\n", highlight=False, markup=False)


def as_json(job: Any, tasks: dict[str, Task], target: Target) -> dict[str, Any]:
    """The same as JSON values, with all steps, and for a job that failed why it did."""
    found = tasks["evaluate"].outputs if "evaluate" in tasks else {}
    evaluation = found["evaluation"].metadata if "evaluation" in found else {}
    return {
        **jobs.as_json(job, target),
        "errors": {one.task_name: failure(one, target.project) for one in failed(job)},
        "metrics": found["metrics"].metadata if "metrics" in found else {},
        "verdict": {"passed": found.get("Output"), "reason": evaluation.get("reason", "")},
        "model": uploaded(tasks),
        "report": found["report"].uri if "report" in found else "",
        "steps": [task.as_json() for task in tasks.values()],
    }


def uploaded(tasks: dict[str, Task]) -> str:
    """Resource name of the version that was uploaded; empty when none was."""
    found = tasks["upload"].outputs.get("model") if "upload" in tasks else None
    return str(found.metadata.get("resourceName", "")) if found else ""


def check(job: Any, target: Target) -> None:
    """Passes a job that came to its end.

    Raises:
        JobFailed: It failed, was cancelled or was paused.
    """
    job_id, how = job.name.rsplit("/", 1)[1], state(job)
    if how == "SUCCEEDED":
        return
    if how == "CANCELLED":
        raise JobFailed(
            f"{job_id} was cancelled; submit it again, and the steps that were done are answered "
            "from the cache"
        )
    if how == "PAUSED":
        raise JobFailed(
            f"{job_id} is paused and does not go on by itself; resume it on its page "
            f"{page(target, job_id)}, then run `{come_back(target, job_id)}`"
        )
    reasons = [f"{one.task_name}: {failure(one, target.project)}" for one in failed(job)]
    if not reasons:
        reasons = [job.error.message.strip() or "the service gave no reason"]
    told = "\n".join(reasons)
    raise JobFailed(
        f"{job_id} failed; mend what it says and submit again, and the steps that were done are "
        f"answered from the cache\n{told}\npage: {page(target, job_id)}"
    )


def _model_page(name: str, target: Target) -> str:
    number = name.partition("@")[0].rsplit("/", 1)[-1]
    version = version_of(name) or "1"
    place = f"{CONSOLE}/vertex-ai/locations/{target.region}/models/{number}/versions/{version}"
    return f"{place}?project={target.project}"
