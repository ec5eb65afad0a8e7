"""What an installation, what is in front of it and the network do wrong, at every command."""

import socket
from pathlib import Path

import pytest

from pipeline.kubeflow import run as runs
from pipeline.kubeflow import target
from tests.fakes.kubeflow import Kubeflow
from tests.fakes.wire import Fault
from tests.pipeline.kubeflow.conftest import Command
from tests.pipeline.kubeflow.workflows import RUN, add_run

ID = "00000000-0000-4000-8000-000000000000"
LOGIN = b"<!DOCTYPE html><html><title>Log in to Your Account</title></html>"
FAULTS = {
    "401": (Fault(401), "no valid credentials: give --token-file or --cookie-file, or set KF_PIPE"),
    "403": (Fault(403), "you lack the rights there; correct --namespace, or ask its owner"),
    "mesh": (
        Fault(403, page=b"RBAC: access denied"),
        "its gateway lets in only who signed in; give --token-file",
    ),
    "404": (Fault(404, message="Not Found"), "there is no Kubeflow Pipelines API of version 2 at"),
    "not found": (
        Fault(404, page=b"<html>404 File not found</html>"),
        "there is no Kubeflow Pipelines API of version 2 at this address",
    ),
    "409": (Fault(409), "something of that name exists already"),
    "413": (Fault(413, page=b"<html>413 Request Entity Too Large"), "a proxy in front of it takes"),
    "large": (
        Fault(500, message="Failed to create a workflow for (x): etcdserver: request is too large"),
        "the pipeline is too large for the installation",
    ),
    "older": (
        Fault(400, message='invalid v2 pipeline spec: proto: (line 1:9): unknown field "x"'),
        "the installation is older than what compiled the pipeline (kfp 2.17)",
    ),
    "namespace": (
        Fault(400, message="An experiment cannot have an empty namespace in multi-user mode"),
        "it has several users; give your --namespace",
    ),
    "another": (
        Fault(400, message="Experiment 1 belongs to namespace 'a' instead of 'b'"),
        "it is of another namespace; correct --namespace or --experiment",
    ),
    "quota": (
        Fault(500, message='workflows "x" is forbidden: exceeded quota: compute'),
        "a quota of the namespace is used up",
    ),
    "400": (Fault(400, message="The run name is empty."), "it was refused (The run name is empty."),
    "429": (Fault(429), "it gets too many requests; run again later"),
    "500": (Fault(500), "it failed; its log says why: `kubectl -n kubeflow logs deploy/ml-pip"),
    "503": (Fault(503), "it is not ready; run again in some minutes"),
    "reset": (Fault(), "the connection broke; look at the network and run again"),
    "stall": (Fault(stall=30.0), "no answer within 1 s; look at the network and run again"),
    "login": (
        Fault(302, page=LOGIN, headers={"Location": "/dex/auth?client_id=x"}),
        "a login page answered instead of the API: give --token-file or --cookie-file",
    ),
    "page": (Fault(200, page=LOGIN, headers={"Content-Type": "text/html"}), "a login page answer"),
    "foreign": (
        Fault(200, page=b'{"status": "ok"}'),
        "what answers there is not Kubeflow Pipelines; correct --host",
    ),
    "list": (Fault(200, page=b"[]"), "what answers there is not Kubeflow Pipelines"),
    "TLS": (
        Fault(400, page=b"Client sent an HTTP request to an HTTPS server."),
        "it speaks TLS; give --host with https://",
    ),
}
SUBMIT = ("submit",)
SCHEDULE = ("submit", "--schedule", "0 6 * * 1")
COMMANDS: dict[str, tuple[str, ...]] = {
    "Healthz": ("runs",),
    "ListRuns": ("runs",),
    "GetRun": ("watch", ID),
    "TerminateRun": ("cancel", RUN),
    "ListExperiments": SUBMIT,
    "CreateExperiment": SUBMIT,
    "CreateRun": SUBMIT,
    "CreateSchedule": SCHEDULE,
    "ListSchedules": ("schedules", "list"),
    "DisableSchedule": ("schedules", "pause", ID),
    "DeleteSchedule": ("schedules", "delete", ID),
}
CASES = [
    *(("ListRuns", fault) for fault in FAULTS),
    *((method, "403") for method in COMMANDS if method != "ListRuns"),
    ("GetRun", "not found"),
    *(("CreateRun", fault) for fault in ("413", "large", "older", "quota", "login")),
]
"""Each fault once, each command with one of them, and what befalls a pipeline that is sent."""


@pytest.fixture(autouse=True)
def impatient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere than where the service stalls, a slow machine gets all the time it needs."""
    monkeypatch.setattr(target, "RETRY_SECONDS", 0.3)
    monkeypatch.setattr(runs, "LOOKS", 1)
    if "stall" in request.node.name:
        monkeypatch.setattr(target, "SECONDS", 1)


@pytest.mark.parametrize(("method", "fault"), CASES)
def test_a_fault_is_one_sentence_that_says_what_to_do(
    method: str, fault: str, kubeflow: Kubeflow, command: Command
) -> None:
    add_run(kubeflow)
    what, expected = FAULTS[fault]
    kubeflow.wire.fail(method, what, times=30)
    done = command(*COMMANDS[method])
    assert done.code == 1, done.out
    (line,) = done.error.strip().splitlines()
    assert line.startswith("error: could not ")
    assert f"({kubeflow.wire.url})" in line
    assert expected in line
    assert kubeflow.created == []


@pytest.mark.parametrize("fault", ["429", "500", "503", "reset", "stall"])
def test_reading_is_repeated(
    fault: str, kubeflow: Kubeflow, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "RETRY_SECONDS", 30)
    kubeflow.wire.fail("ListRuns", FAULTS[fault][0])
    done = command("runs")
    assert done.code == 0, done.error
    assert len(kubeflow.wire.named("ListRuns")) == 2


@pytest.mark.parametrize("command_line", [SUBMIT, SCHEDULE], ids=["run", "schedule"])
@pytest.mark.parametrize("status", [0, 502, 504])
def test_what_was_created_without_an_answer_is_found_and_not_created_twice(
    status: int, command_line: tuple[str, ...], kubeflow: Kubeflow, command: Command
) -> None:
    kind = "CreateRun" if command_line is SUBMIT else "CreateSchedule"
    kubeflow.wire.fail(kind, Fault(status, after=True))
    done = command(*command_line)
    assert done.code == 0, done.error
    (sent,) = kubeflow.created
    assert sent["display_name"] in done.out
    assert len(kubeflow.wire.named(kind)) == 1


def test_a_request_that_may_have_arrived_is_not_sent_again(
    kubeflow: Kubeflow, command: Command
) -> None:
    kubeflow.wire.fail("CreateRun", Fault())
    done = command(*SUBMIT)
    assert done.code == 1
    look = f"look with `fashion-mnist kubeflow runs --host {kubeflow.wire.url}` before you submit"
    assert look in done.error
    assert len(kubeflow.wire.named("CreateRun")) == 1


def test_a_request_that_was_turned_away_is_sent_again(
    kubeflow: Kubeflow, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "RETRY_SECONDS", 30)
    kubeflow.wire.fail("CreateRun", Fault(503))
    assert command(*SUBMIT).code == 0
    assert len(kubeflow.created) == 1


def test_an_experiment_that_somebody_else_makes_meanwhile_is_used(
    kubeflow: Kubeflow, command: Command
) -> None:
    kubeflow.wire.fail("CreateExperiment", Fault(409, after=True))
    assert command(*SUBMIT).code == 0
    assert len(kubeflow.experiments) == 1


def test_nothing_at_an_address_is_said_at_once(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "RETRY_SECONDS", 30)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"localhost:{unused.getsockname()[1]}"
        done = command("runs", "--host", address)
    assert f"(http://{address}): nothing answers there; is `kubectl -n kubeflow" in done.error
    done = command("runs", "--host", "kubeflow.invalid")
    assert "(https://kubeflow.invalid): its name could not be resolved; correct" in done.error


def test_a_redirect_to_tls_is_no_login_page(kubeflow: Kubeflow, command: Command) -> None:
    secure = kubeflow.wire.url.replace("http://", "https://")
    kubeflow.wire.fail("Healthz", Fault(308, page=b"moved", headers={"Location": secure}))
    assert "it speaks TLS; give --host with https://" in command("runs").error


def test_where_there_are_several_users_a_namespace_is_asked_for(
    kubeflow: Kubeflow, command: Command, tmp_path: Path
) -> None:
    kubeflow.several_users = True
    done = command("runs")
    assert (done.code, done.error.count("\n")) == (2, 1)
    assert "has several users: give your --namespace" in done.error
    assert command(*SUBMIT, "--namespace", "team-a").code == 0
    (experiment,) = kubeflow.experiments.values()
    assert experiment["namespace"] == "team-a"
    assert list(tmp_path.iterdir()) == []
