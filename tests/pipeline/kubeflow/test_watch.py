"""Following a run: its table, its end, and the network in between."""

import json
import os
import signal
from typing import Any

import pytest

from pipeline.kubeflow import target
from pipeline.runs import outages
from tests.fakes.kubeflow import Kubeflow
from tests.fakes.wire import Fault
from tests.pipeline.kubeflow import workflows
from tests.pipeline.kubeflow.conftest import Command
from tests.pipeline.kubeflow.workflows import RUN, add_run

WATCH = ("watch", RUN, "--every", "0.05")


def test_each_step_is_shown_as_it_ends(kubeflow: Kubeflow, command: Command) -> None:
    run = add_run(kubeflow, "PENDING")
    kubeflow.script = [lambda _: None, *workflows.PASSED]
    done = command(*WATCH, "--require-upload")
    assert done.code == 0, done.error
    lines = [line.split(" in ")[0] for line in done.out.splitlines()]
    assert lines[: lines.index("")] == [
        f"{RUN} is pending: its steps have not started yet",
        *("Ingest: started", "Find champion: started", "Ingest: done", "Decode: from the cache"),
        *("Train: started", "Train: done", "Find champion: done", "Evaluate: done"),
        *("Upload: started", "Upload: done"),
    ]
    assert "Model      an artifact of the step Upload" in done.out
    assert f"Page       {kubeflow.wire.url}/#/runs/details/{run['run_id']}" in done.out


@pytest.mark.parametrize("reference", ["id", "page", "name"])
def test_a_refusal_of_the_gate_is_told_by_the_upload_that_did_not_run(
    reference: str, kubeflow: Kubeflow, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = add_run(kubeflow)
    page = f"{kubeflow.wire.url}/#/runs/details/{run['run_id']}"
    if reference == "page":
        monkeypatch.delenv(target.ENDPOINT)
    given = {"id": run["run_id"], "page": page, "name": RUN}[reference]
    kubeflow.script = list(workflows.REFUSED)
    done = command("watch", given, "--every", "0.05", "--require-upload")
    assert done.code == 3, done.error
    assert "not uploaded: the gate refused it" in done.out
    assert "error: no version was uploaded" in done.error
    printed = json.loads(command("watch", given, "--json").out)
    assert (printed["state"], printed["uploaded"]) == ("succeeded", False)
    states = {one["name"]: one["state"] for one in printed["steps"]}
    assert (states["evaluate"], states["upload"]) == ("done", "skipped")


def test_an_upload_that_is_stored_after_the_end_of_its_run_counts(
    kubeflow: Kubeflow, command: Command
) -> None:
    add_run(kubeflow)
    gate = workflows.node("condition-1-driver", "RUNNING", 9)
    kubeflow.script = [
        workflows.together(workflows.START, workflows.done("ingest"), workflows.EVALUATED, gate),
        workflows.ended("SUCCEEDED"),
        workflows.together(
            workflows.node("condition-1-driver", "SUCCEEDED", 9, 8), workflows.done("upload")
        ),
    ]
    assert command(*WATCH, "--require-upload").code == 0


def test_json_is_all_that_standard_output_gets(kubeflow: Kubeflow, command: Command) -> None:
    add_run(kubeflow)
    kubeflow.script = list(workflows.PASSED)
    done = command(*WATCH, "--json")
    printed = json.loads(done.out)
    assert (printed["name"], printed["uploaded"]) == (RUN, True)
    assert {one["state"] for one in printed["steps"]} == {"done", "cached"}
    assert "Ingest: started" in done.error


def test_a_failed_step_is_named_with_where_its_log_is(kubeflow: Kubeflow, command: Command) -> None:
    run = add_run(kubeflow)
    kubeflow.script = [
        workflows.together(workflows.START, workflows.done("ingest"), workflows.begun("train")),
        workflows.together(workflows.failed("train"), workflows.ended("FAILED")),
    ]
    done = command(*WATCH)
    assert done.code == 1
    assert "Train: failed in " in done.out
    assert f"{RUN} failed in train; fix the cause and submit it again" in done.error
    kubeflow.several_users = True
    by_id = command("watch", str(run["run_id"]))
    assert by_id.code == 1
    assert "failed in train" in by_id.error
    assert f"kubectl -n kubeflow logs -l pipeline/runid={run['run_id']} -c main" in done.error


def test_a_cancelled_run_ends_as_failed_and_is_called_cancelled(
    kubeflow: Kubeflow, command: Command
) -> None:
    add_run(kubeflow)
    kubeflow.script = [
        workflows.together(workflows.START, workflows.begun("train")),
        workflows.state("CANCELING"),
        workflows.together(workflows.failed("train"), workflows.ended("FAILED")),
    ]
    done = command(*WATCH)
    assert done.code == 1
    assert "Train: cancelled in " in done.out
    assert f"{RUN} was cancelled; submit it again" in done.error


@pytest.mark.parametrize(
    "fault",
    [
        *(Fault(), Fault(503), Fault(429), Fault(stall=60)),
        Fault(200, page=b'{"run_id": "', headers={"Content-Length": "900", "Connection": "close"}),
    ],
    ids=["reset", "503", "429", "stall", "truncated"],
)
def test_the_network_may_go_away_and_come_back(
    fault: Fault, kubeflow: Kubeflow, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault.stall:
        monkeypatch.setattr(target, "SECONDS", 1)
    add_run(kubeflow)
    kubeflow.script = [
        lambda _run: kubeflow.wire.fail("GetRun", fault, times=2),
        workflows.ended("SUCCEEDED"),
    ]
    done = command(*WATCH)
    assert done.code == 0, done.error
    assert done.out.count("trying again, and the run is still running") == 1
    assert "the service answers again" in done.out


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(401), "no valid credentials"),
        (Fault(403), "you lack the rights there"),
        (Fault(404, message="Run x not found"), "there is no run"),
        (Fault(503), "gave up after 0 s, and the run is still running"),
        (Fault(302, page=b"<html>", headers={"Location": "/dex/auth"}), "a login page answered"),
    ],
    ids=["401", "403", "404", "503", "login"],
)
def test_a_refusal_ends_the_watching_and_so_does_the_end_of_patience(
    fault: Fault,
    expected: str,
    kubeflow: Kubeflow,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outages, "PATIENCE", 0.3)
    add_run(kubeflow)
    kubeflow.script = [lambda _run: kubeflow.wire.fail("GetRun", fault, times=99)]
    done = command(*WATCH)
    assert done.code == 1
    assert expected in done.error
    again = f"`fashion-mnist kubeflow watch {RUN} --host {kubeflow.wire.url}` follows it again"
    assert (again in done.error) == (fault.status != 404)


def test_ctrl_c_leaves_the_run_running(kubeflow: Kubeflow, command: Command) -> None:
    def interrupt(_run: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    # Started in the background by a shell, the tests ignore Ctrl-C, and so would the command.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    add_run(kubeflow)
    kubeflow.script = [workflows.START, interrupt]
    done = command(*WATCH)
    assert done.code == 130
    assert "is still running: `fashion-mnist kubeflow watch " in done.error
    assert kubeflow.wire.named("TerminateRun") == []
