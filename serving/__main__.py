"""Starts the server as Vertex AI asks for it: ``python -m serving``.

Vertex AI names the model's folder, the port and the two routes in the environment. The port is
open at once; health is 503 until the model is loaded and has answered.
"""

import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import uvicorn

from components.dataset.errors import StepError
from components.dataset.folder import fetch
from components.dataset.places import local_path
from components.dataset.startup import quiet_start
from serving import page
from serving.server import Service, application

ROUTES: Final = {"AIP_HEALTH_ROUTE": "/health", "AIP_PREDICT_ROUTE": "/predict"}
PORT: Final = "8080"
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
"""What ``SERVING_LOG_LEVEL`` can be."""
LOOPBACK: Final = "127.0.0.1"
"""Where it listens unless ``SERVING_HOST`` says otherwise, as it does in a container."""

log = logging.getLogger("serving")


class ServingError(StepError):
    """A variable that the server cannot use."""


def main() -> int:
    """Serves until a signal ends it; returns the exit code."""
    level = os.environ.get("SERVING_LOG_LEVEL") or "INFO"
    known = level if level in LEVELS else "INFO"
    logging.basicConfig(stream=sys.stdout, level=known, format="%(asctime)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # After its last answer uvicorn repeats the signal, which would end this process with an error.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        if level not in LEVELS:
            raise ServingError(f"SERVING_LOG_LEVEL is {level!r}; it can be {', '.join(LEVELS)}")
        return serve(os.environ)
    except StepError as error:
        log.error(error)
        return 1


def serve(environment: Mapping[str, str]) -> int:
    """Serves the model that the environment names.

    Raises:
        ServingError: A variable is missing or wrong, or the port is taken.
    """
    if not (place := environment.get("AIP_STORAGE_URI", "")):
        raise ServingError("AIP_STORAGE_URI is not set; it names the model's folder")
    routes = [environment.get(name) or usual for name, usual in ROUTES.items()]
    if len(set(routes)) < len(routes) or not all(route.startswith("/") for route in routes):
        raise ServingError(f"the routes are {routes}; they must differ and begin with /")
    (health, predict), about, service = routes, page.wanted(environment), Service()
    listener = _listen(environment)
    config = uvicorn.Config(
        application(service, health, predict, about),
        log_config=None,
        access_log=False,
        server_header=False,
    )
    server = uvicorn.Server(config)
    failed = threading.Event()

    def load() -> None:
        try:
            _load(service, place)
        except Exception as error:
            log.error(error, exc_info=not isinstance(error, StepError))
            failed.set()
            server.should_exit = True

    threading.Thread(target=load, daemon=True).start()
    server.run(sockets=[listener])
    return int(failed.is_set())


def _listen(environment: Mapping[str, str]) -> socket.socket:
    host = environment.get("SERVING_HOST") or LOOPBACK
    port = environment.get("AIP_HTTP_PORT") or PORT
    try:
        listener = socket.create_server((host, int(port)))
        # asyncio leaves it out for a socket made here, and answers would wait 40 ms for a packet.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (ValueError, OverflowError) as error:
        raise ServingError(f"AIP_HTTP_PORT is {port!r}; it must be a port's number") from error
    except OSError as error:
        raise ServingError(f"cannot listen on {host}:{port} ({error.strerror})") from error
    log.info("listening on http://%s:%d", *listener.getsockname()[:2])
    return listener


def _load(service: Service, place: str) -> None:
    start = time.perf_counter()
    with quiet_start():
        # TensorFlow takes seconds to import; the port is open before.
        from serving.model import Model

    with tempfile.TemporaryDirectory(prefix="model-") as copy:
        if (path := local_path(place)) is None:
            fetch(place, path := Path(copy))
        model = Model(path)
        model.warm_up()
    service.model = model
    log.info("ready after %.1f s: %s", time.perf_counter() - start, ", ".join(model.signatures))


if __name__ == "__main__":
    sys.exit(main())
