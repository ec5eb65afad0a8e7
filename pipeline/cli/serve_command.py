"""The command that serves a model on this machine."""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

from pipeline.checkout import PROJECT
from pipeline.cli.console import print_json, say, say_aside, waiting
from pipeline.cli.options import (
    ROOT,
    AsJson,
    AskedModel,
    AskedRun,
    AskedVersion,
    RootFolder,
    option,
)
from pipeline.cli.record_commands import has_display
from pipeline.errors import CommandError, Interrupted, StepFailed, UsageError

if TYPE_CHECKING:
    from pipeline.runs.chosen_model import ChosenModel

HOST: Final = "127.0.0.1"
PORT: Final = 8080
OTHER_PORTS: Final = 20
"""How many ports after the first are tried when none is asked for."""
ROUTES: Final = {"AIP_HEALTH_ROUTE": "/health", "AIP_PREDICT_ROUTE": "/predict"}
POLL_SECONDS: Final = 0.2
ANOTHER: Final = "choose another with --model, --run or --version"


def serve(
    version: AskedVersion = None,
    run: AskedRun = None,
    model: AskedModel = None,
    root: RootFolder = ROOT,
    port: Annotated[
        int | None,
        option(
            "Port on this machine; else the first free one from 8080.",
            min=1,
            max=65535,
            show_default=False,
        ),
    ] = None,
    show: Annotated[
        bool | None,
        option(
            "Open the page in the browser; by default only on a terminal with a display.",
            "--open/--no-open",
            " /--no-browser",
            show_default=False,
        ),
    ] = None,
    log: Annotated[bool, option("Print a line for each request.", "--log")] = False,
    as_json: AsJson = False,
) -> None:
    """Serve a model on this machine, with a page to ask it about pictures.

    It is the server of the container on Vertex AI, without Docker. Only this machine can reach it.
    Ctrl-C stops it. With `--json` it prints where it answers, and opens no page unless asked to.

    Examples:
        serve  # the champion, and its page in the browser
        serve --model fashion-mnist@2 --port 9000  # another version, at http://127.0.0.1:9000/
        serve --run last --no-browser  # the model of the newest training
    """
    from pipeline.cli.watchers import stopped_by_signals
    from pipeline.photos.samples import samples
    from pipeline.runs.chosen_model import choose

    chosen = choose(root, version, run, model)
    place = _free_port(port)
    about = {"title": chosen.title, "accuracy": chosen.accuracy, "samples": samples(root, chosen)}
    # Ctrl-C is how a server ends.
    with (
        contextlib.suppress(Interrupted),
        stopped_by_signals(),
        _started(chosen, place, about, "INFO" if log else "WARNING") as server,
    ):
        _announce(chosen, f"http://{HOST}:{place}", show, as_json)
        _show_log(server)


@contextlib.contextmanager
def _started(
    chosen: "ChosenModel", port: int, about: dict[str, Any], level: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Starts the server, and yields its process when it can answer."""
    from pipeline.local.processes import read_lines, running

    with tempfile.TemporaryDirectory() as folder:
        facts = Path(folder, "about.json")
        facts.write_text(json.dumps(about))
        settings = {
            **ROUTES,
            "AIP_HTTP_PORT": str(port),
            "AIP_STORAGE_URI": str(chosen.directory.resolve()),
            "SERVING_HOST": HOST,
            "SERVING_PAGE": "1",
            "SERVING_ABOUT": str(facts),
            "SERVING_LOG_LEVEL": level,
        }
        command = [sys.executable, "-m", "serving"]
        with running(command, {**os.environ, **settings}, PROJECT) as server:
            with waiting(f"loading TensorFlow and {chosen.title}"):
                ready = _is_ready(server, port)
            if not ready:
                lines = tuple(line for line, _ in read_lines(server))
                reason = f"the server could not start with {chosen.title}; {ANOTHER}"
                raise StepFailed("serve", reason, lines)
            yield server


def _show_log(server: "subprocess.Popen[bytes]") -> NoReturn:
    """Prints what a server writes, until it ends."""
    from pipeline.local.processes import read_lines
    from pipeline.runs.signals import of_exit_code

    for line, _ in read_lines(server):
        say_aside(line)
    code = server.wait()
    raise CommandError(f"the server ended: {of_exit_code(code, 'serve') or f'exit code {code}'}")


def _announce(chosen: "ChosenModel", address: str, show: bool | None, as_json: bool) -> None:
    page = f"{address}/"
    if as_json:
        predict = f"{address}{ROUTES['AIP_PREDICT_ROUTE']}"
        print_json({"page": page, "predict": predict, "model": chosen.as_json()})
    else:
        say(f"{chosen.title} answers at {page}")
    say_aside("Ctrl-C stops it")
    wanted = has_display() and not as_json if show is None else show
    if wanted and not webbrowser.open(page):
        say_aside("no browser was found; open the address in one")


def _free_port(wanted: int | None) -> int:
    """The port that was asked for, or the first free one.

    Raises:
        UsageError: The port that was asked for cannot be used, or all are taken.
    """
    if wanted is not None:
        if reason := _taken(wanted):
            raise UsageError(
                f"--port {wanted}: {reason}; give another, or leave it out for a free one"
            )
        return wanted
    free = next((port for port in range(PORT, PORT + OTHER_PORTS) if not _taken(port)), None)
    if free is None:
        raise UsageError(
            f"ports {PORT} to {PORT + OTHER_PORTS - 1} are taken; give one with --port"
        )
    if free != PORT:
        say_aside(f"port {PORT} is taken; {free} is free")
    return free


def _taken(port: int) -> str:
    """Why nobody can listen on a port of this machine; empty if it is free."""
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        return os.strerror(error.errno or 0).lower()
    return ""


def _is_ready(server: "subprocess.Popen[bytes]", port: int) -> bool:
    """Waits until a server can answer; whether it can, or has ended before."""
    while server.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(HOST, port, timeout=5)
            connection.request("GET", ROUTES["AIP_HEALTH_ROUTE"])
            if connection.getresponse().status == http.client.OK:
                return True
        time.sleep(POLL_SECONDS)
    return False
