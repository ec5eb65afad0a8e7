"""Runs and schedules: listed, cancelled, paused and deleted."""

import json

import pytest

from tests.fakes.kubeflow import Kubeflow
from tests.pipeline.kubeflow import workflows
from tests.pipeline.kubeflow.conftest import Command
from tests.pipeline.kubeflow.workflows import RUN, add_run


def test_the_newest_runs_are_listed(kubeflow: Kubeflow, command: Command) -> None:
    for number in range(45):
        add_run(kubeflow, name=f"run-{number}")
    workflows.ended("FAILED")(run := add_run(kubeflow))
    lines = command("runs", "--count", "42").out.splitlines()
    assert len(lines) == 43
    assert lines[1].split()[:2] == [RUN, "failed"]
    printed = json.loads(command("runs", "--count", "1", "--json").out)
    assert [one["run"] for one in printed] == [run["run_id"]]
    assert "there is no experiment 'x'" in command("runs", "--experiment", "x").error


def test_a_time_that_is_not_set_is_none(kubeflow: Kubeflow, command: Command) -> None:
    add_run(kubeflow)
    (printed,) = json.loads(command("runs", "--json").out)
    assert printed["created"]
    assert printed["ended"] is None


def test_no_runs_say_how_to_make_one(kubeflow: Kubeflow, command: Command) -> None:
    done = command("runs")
    url = kubeflow.wire.url
    assert f"no runs ({url}): `fashion-mnist kubeflow submit --host {url}` makes one" in done.out


def test_a_running_run_is_cancelled_and_an_ended_one_is_not(
    kubeflow: Kubeflow, command: Command
) -> None:
    run = add_run(kubeflow)
    assert "is being cancelled; `fashion-mnist kubeflow watch" in command("cancel", RUN).out
    assert run["state"] == "CANCELING"
    workflows.ended("FAILED")(run)
    assert f"{RUN} had ended already: cancelled" in command("cancel", run["run_id"]).out
    assert len(kubeflow.wire.named("TerminateRun")) == 1


def test_a_run_that_ends_while_it_is_cancelled_is_no_error(
    kubeflow: Kubeflow, command: Command
) -> None:
    run = add_run(kubeflow)
    # The look before the cancelling does not see it end.
    terminate = kubeflow.terminate
    kubeflow.wire.routes = [
        (path, name, (lambda call: (workflows.ended("SUCCEEDED")(run), terminate(call))[1]))
        if name == "TerminateRun"
        else (path, name, handle)
        for path, name, handle in kubeflow.wire.routes
    ]
    assert command("cancel", RUN).code == 0


@pytest.mark.parametrize("action", ["watch", "cancel"])
def test_a_name_that_does_not_name_one_run_is_an_error(
    action: str, kubeflow: Kubeflow, command: Command
) -> None:
    assert f"there is no run '{RUN}'" in command(action, RUN).error
    first, second = add_run(kubeflow), add_run(kubeflow)
    done = command(action, RUN)
    assert done.code == 2
    assert f"give {second['run_id']}, {first['run_id']}" in done.error
    missing = "00000000-0000-4000-8000-000000000000"
    assert f"there is no run {missing}" in command(action, missing).error


def test_a_schedule_is_made_paused_resumed_and_deleted(
    kubeflow: Kubeflow, command: Command
) -> None:
    done = command("submit", "--schedule", "0 6 * * MON", "--max-concurrency", "2", "--catch-up")
    assert done.code == 0, done.error
    (sent,) = kubeflow.created
    assert sent["trigger"] == {"cron_schedule": {"cron": "0 0 6 * * MON"}}
    assert (sent["max_concurrency"], sent["no_catchup"], sent["mode"]) == ("2", False, "ENABLE")
    name, (identity,) = sent["display_name"], kubeflow.schedules
    assert f"`fashion-mnist kubeflow schedules pause {name} --host" in done.out
    (printed,) = json.loads(command("schedules", "list", "--json").out)
    assert (printed["schedule"], printed["state"]) == (identity, "active")
    for action, status in (("pause", "DISABLED"), ("resume", "ENABLED")):
        assert command("schedules", action, name).code == 0
        assert kubeflow.schedules[identity]["status"] == status
    assert command("schedules", "delete", identity).out == f"schedule {identity} is deleted\n"
    assert "no schedules" in command("schedules", "list").out
    assert f"there is no schedule {identity}" in command("schedules", "pause", identity).error
