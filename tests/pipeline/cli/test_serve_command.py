"""The command that serves a model on this machine."""

import contextlib
import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import start
from tests.idx_files import FASHION
from tests.pipeline.cli.conftest import Call
from tests.pipeline.local_registry import add_version
from tests.saved_models import make_classifier, make_model

ROOT = Path(".fashion-mnist")
LISTENS = "0A"
"""The state in /proc/net/tcp."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with a root whose registry holds a model."""
    home = tmp_path_factory.mktemp("home")
    add_version(home / ROOT, make_classifier(home / "model", FASHION.classes))
    return home


@contextlib.contextmanager
def serving(home: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """The command, and the port that it prints when it can answer."""
    process = start("serve", *options, cwd=home)
    try:
        assert process.stdout
        line = process.stdout.readline()
        assert line.startswith("fashion-mnist version 1 answers at http://127.0.0.1:"), (
            process.communicate()
        )
        yield process, int(line.rsplit(":", 1)[1].strip("/\n"))
    finally:
        process.kill()
        process.communicate()


def ask(port: int, method: str, path: str, body: Any = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, path, json.dumps(body))
    return json.loads(connection.getresponse().read())


def listeners(port: int) -> list[str]:
    """The addresses of this machine that somebody listens at, as the system writes them."""
    text = "".join(Path("/proc/net", name).read_text() for name in ("tcp", "tcp6"))
    ends = [one for _, one, _, state, *_ in map(str.split, text.splitlines()) if state == LISTENS]
    return [end.split(":")[0] for end in ends if end.endswith(f":{port:04X}")]


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    own = [int(child) for child in text.split()]
    return own + [one for child in own for one in children(child)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_model_answers_on_loopback_alone_until_a_signal(
    number: signal.Signals, home: Path
) -> None:
    with serving(home) as (process, port):
        about = ask(port, "GET", "/about")
        assert (about["title"], about["accuracy"]) == ("fashion-mnist version 1", 0.9123)
        assert (about["labels"], about["samples"]) == (list(FASHION.classes), [])
        pixels = [[255 if row == 8 else 0] * 28 for row in range(28)]
        answer = ask(port, "POST", about["predict"], {"instances": [{"image": pixels}]})
        assert answer["predictions"][0]["label"] == "Bag"
        assert listeners(port) == ["0100007F"]
        started = children(process.pid)
        process.send_signal(number)
        out, errors = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert errors.splitlines()[-1] == "Ctrl-C stops it"
    assert len(started) >= 2
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []


def test_a_server_that_is_killed_is_an_error_and_json_says_where_it_was(home: Path) -> None:
    process = start("serve", "--json", cwd=home)
    try:
        assert process.stdout
        where = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")
        assert where["predict"] == f"{where['page']}predict"
        assert where["model"]["version"] == 1
        os.kill(children(process.pid)[-1], signal.SIGKILL)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 1
    assert "error: the server ended: the system killed it (exit code 137)" in errors


def test_requests_are_shown_if_asked_for_and_the_page_is_opened(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho $1 > {tmp_path}/opened\n")
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")
    with serving(home, "--log", "--open") as (process, port):
        ask(port, "GET", "/about")
        assert process.stderr
        lines = list(itertools.takewhile(lambda line: "/about" not in line, process.stderr))
    assert not any("GET" in line for line in lines)
    assert (tmp_path / "opened").read_text() == f"http://127.0.0.1:{port}/\n"


def test_a_port_that_is_taken_is_an_error_only_if_it_was_asked_for(
    home: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.cli import serve_command

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = call("serve", "--root", str(home / ROOT), "--port", str(port))
        assert done.exit_code == 2
        assert done.stderr == (
            f"error: --port {port}: address already in use; "
            "give another, or leave it out for a free one\n"
        )
        monkeypatch.setattr(serve_command, "PORT", port)
        assert port < serve_command._free_port(None) <= port + 20


def test_without_a_model_it_says_how_to_train_one(call: Call) -> None:
    done = call("serve")
    assert done.exit_code == 1
    assert done.stderr.startswith("error: there is no model in .fashion-mnist/registry yet:")
    assert "`make run`" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_model_that_cannot_be_loaded_ends_the_command(home: Path, call: Call) -> None:
    done = call("serve", "--model", str(make_model(Path("damaged"))))
    assert done.exit_code == 1
    assert done.stderr.startswith("error: the server could not start with the model in damaged; ")
