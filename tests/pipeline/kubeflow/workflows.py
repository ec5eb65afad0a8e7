"""What becomes of a run, in the order and the words in which the API gives it.

The details of a run are the nodes of its workflow: for each task a driver, a node of its own, and
within that an executor, all without an id that leads from one to the other.
"""

import random
import uuid
from typing import Any, Final

from pipeline.compiler import COMPILED, KUBEFLOW_PIPELINE
from pipeline.specs import spec as specs
from tests.fakes.kubeflow import Change, Kubeflow, moment

RUN: Final = "fashion-mnist-20261124-120000-ab12"
NEVER: Final = "0001-01-01T00:00:00Z"
"""How the API gives the end of a task that has not ended."""


def add_run(kubeflow: Kubeflow, state: str | None = "RUNNING", name: str = RUN) -> dict[str, Any]:
    spec = specs.load(COMPILED / KUBEFLOW_PIPELINE)
    return kubeflow.add(name, state, pipeline_spec=spec, runtime_config={"parameters": {}})


def together(*changes: Change) -> Change:
    def change(run: dict[str, Any]) -> None:
        for one in changes:
            one(run)

    return change


def node(name: str, state: str | None, start: float = 0.0, end: float | None = None) -> Change:
    """A node that began and ended so many seconds ago; it replaces one of its name."""

    def change(run: dict[str, Any]) -> None:
        details = run.setdefault("run_details", {}).setdefault("task_details", [])
        if name != "executor":
            details[:] = [one for one in details if one["display_name"] != name]
        made = {
            "run_id": run["run_id"],
            "task_id": str(uuid.uuid4()),
            "display_name": name,
            "create_time": run["created_at"],
            "start_time": moment(start),
            "end_time": NEVER if end is None else moment(end),
            "child_tasks": [{"pod_name": f"fashion-mnist-{random.randrange(10**9)}"}],
        }
        details.append(made | ({"state": state} if state else {}))
        random.shuffle(details)

    return change


def begun(task: str) -> Change:
    """A task whose driver has ended, and whose container runs."""
    driver = node(f"{task}-driver", "SUCCEEDED", 20, 10)
    return together(driver, node(task, "RUNNING", 10), node("executor", "RUNNING", 10))


def done(task: str, start: float = 30) -> Change:
    return together(
        node(f"{task}-driver", "SUCCEEDED", start + 10, start),
        node(task, "SUCCEEDED", start, 5),
        node("executor", "SUCCEEDED", start, 5),
    )


def cached(task: str) -> Change:
    driver = node(f"{task}-driver", "SUCCEEDED", 25, 21)
    return together(driver, node(task, "SUCCEEDED", 21, 21), node("executor", "SKIPPED", 21, 21))


def failed(task: str) -> Change:
    return together(node(task, "FAILED", 30, 5), node("executor", "FAILED", 30, 5))


def ended(state: str) -> Change:
    """The run's own end; the states of its tasks follow, and some never do."""

    def change(run: dict[str, Any]) -> None:
        if run["state"] == "CANCELING":
            run["state_history"].append({"state": "CANCELING", "update_time": moment()})
        run["state"] = state
        run["finished_at"] = moment()
        run["state_history"].append({"state": state, "update_time": moment()})

    return change


def state(name: str) -> Change:
    return lambda run: run.update(state=name)


START: Final = together(
    state("RUNNING"),
    node("fashion-mnist-x7k2p", "RUNNING", 60),
    node("root-driver", "SUCCEEDED", 60, 50),
    node("root", "RUNNING", 50),
    node("ingest-driver", "RUNNING", 20),
)
EVALUATED: Final = together(done("train", 29), done("find-champion", 28), done("evaluate", 27))
PASSED: Final = (
    START,
    together(begun("ingest"), begun("find-champion")),
    together(done("ingest"), cached("decode"), begun("train")),
    together(
        EVALUATED,
        node("condition-1-driver", "SUCCEEDED", 9, 8),
        # A nested pipeline stays running, whatever becomes of its tasks.
        node("condition-1", "RUNNING", 8),
        begun("upload"),
    ),
    ended("SUCCEEDED"),
    done("upload"),
)
REFUSED: Final = (
    START,
    together(
        *(done("ingest"), done("decode"), EVALUATED),
        node("condition-1-driver", "SUCCEEDED", 9, 8),
        node("condition-1", "SKIPPED", 8, 8),
        ended("SUCCEEDED"),
    ),
)
