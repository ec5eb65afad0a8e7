"""The server as a process of its own."""

import contextlib
import dataclasses
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests

from components.dataset.startup import direct_loopback
from pipeline.compiler import PROJECT
from tests import browser as browsers
from tests.saved_models import make_classifier

from .opened_page import CAMERA, opening

NAMES = ("Sandal", "Bag")


@dataclasses.dataclass
class Server:
    """A server that was started, and its log."""

    process: "subprocess.Popen[str]"
    log: Path
    url: str

    def ask(self, body: Any, path: str = "/predict") -> requests.Response:
        """Posts a body: bytes as they are, anything else as JSON."""
        form = "data" if isinstance(body, bytes) else "json"
        return requests.post(f"{self.url}{path}", timeout=60, **{form: body})

    def health(self, route: str = "/health") -> int:
        return requests.get(f"{self.url}{route}", timeout=60).status_code

    def wait_until_ready(self, route: str = "/health") -> None:
        while self.health(route) != 200:
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def start(
    folder: Path,
    model: object,
    command: Sequence[str] = (sys.executable, "-m", "serving"),
    cwd: Path = PROJECT,
    environment: Mapping[str, str] = {},
) -> Server:
    """Starts the server on a free port and waits until the port is open, or it has ended."""
    log = folder / "server.log"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIP_")}
    place = {"AIP_STORAGE_URI": str(model), "AIP_HTTP_PORT": "0"}
    with log.open("w") as file:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**inherited, **direct_loopback(inherited), **place, **environment},
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
        )
    while process.poll() is None:
        if found := re.search(r"listening on http://[\d.]+:(\d+)", log.read_text()):
            # On every address it is also on loopback.
            return Server(process, log, f"http://127.0.0.1:{found[1]}")
        time.sleep(0.05)
    return Server(process, log, "")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def serving(folder: Path, model: object, **options: Any) -> Iterator[Server]:
    """A server that can answer, until the block ends."""
    server = start(folder, model, **options)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait()


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that takes a picture for the class whose row is lightest."""
    return make_classifier(tmp_path_factory.mktemp("models") / "small", NAMES)


@pytest.fixture(scope="module")
def server(classifier: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server"), classifier) as server:
        server.wait_until_ready()
        yield server


@contextlib.contextmanager
def with_page(
    folder: Path, model: Path, about: dict[str, Any], **environment: str
) -> Iterator[str]:
    """The address of the page of a model; skips the test where there is no browser."""
    browsers.installed()
    (folder / "about.json").write_text(json.dumps(about))
    page = {"SERVING_PAGE": "1", "SERVING_ABOUT": str(folder / "about.json")}
    with serving(folder, model, environment={**page, **environment}) as server:
        server.wait_until_ready()
        yield f"{server.url}/"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browsers.chromium(*CAMERA) as browser:
        yield browser


@pytest.fixture
def opened(chromium: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Opens the page at ``address``."""
    with opening(chromium, address) as opened:
        yield opened
