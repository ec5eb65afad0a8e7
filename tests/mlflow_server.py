"""A real MLflow server on loopback, from the environment that ``make mlflow`` uses."""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from pipeline.compiler import PROJECT

PYTHON = PROJECT / ".venv-mlflow" / "bin" / "python"
START_SECONDS = 90.0


class Server:
    """A server whose data stay when it is stopped."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder, self.address = folder, f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def running(self) -> Iterator["Server"]:
        """Starts it, and stops it when the block ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [
            *(str(PYTHON), "-m", "mlflow", "server", "--host", "127.0.0.1"),
            *("--port", str(self.port), "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"),
            *("--artifacts-destination", str(self.folder / "artifacts")),
        ]
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, env={**os.environ, **quiet}, stdout=log, stderr=log, start_new_session=True
            )
        try:
            self._wait()
            yield self
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends it and everything that it started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)
        self.process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.address}/health", timeout=5).ok:
                    return
            time.sleep(0.2)
        pytest.fail(f"MLflow's server did not start:\n{(self.folder / 'log').read_text()[-2000:]}")


def skip_without() -> None:
    """Skips where the environment of the server is not there."""
    if not PYTHON.is_file():
        pytest.skip("there is no .venv-mlflow; `make test` makes it")
