"""The server under load, against the same model called in Python."""

import contextlib
import csv
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from .figure import Figure, Target, ratio
from .process import BenchmarkError, module, run
from .settings import Settings

GENERATOR: Final = "hey"
"""Debian's load generator."""
REQUESTS: Final = {
    "pixels-1": "one image as pixels",
    "pixels-32": "32 images as pixels",
    "photos-1": "one photo",
    "photos-32": "32 photos",
}
CLIENTS: Final = (1, 16)
SHARE: Final = Target(0.6)
SECONDS: Final = 5.0
READY: Final = 120.0
"""Seconds until the server must be ready."""


def measure(settings: Settings) -> list[Figure]:
    """Rows of batches with a target, and of requests a second for each way to ask."""
    if not shutil.which(GENERATOR):
        settings.say(f"no server: {GENERATOR} is missing (apt-get install {GENERATOR})")
        return []
    settings.say("the server under load, and the model called in Python")
    folder = settings.scratch / "serving"
    folder.mkdir()
    module("sides.serving_files", settings.raw, folder)
    seconds = 0.5 if settings.quick else SECONDS
    called: dict[str, list[float]] = defaultdict(list)
    served: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    for _ in range(settings.repeats):
        for name, rate in module("sides.call_model", folder, seconds).result.items():
            called[name].append(rate)
        with server(folder / "model") as url:
            for name in REQUESTS:
                for clients in CLIENTS:
                    body = folder / f"{name}.json"
                    served[name, clients].append(load(url, body, clients, seconds))
    return [
        *(compared(name, served[name, 16], called[name]) for name in REQUESTS if "32" in name),
        *(requests(name, clients, each) for (name, clients), each in served.items()),
    ]


def compared(name: str, loads: Sequence[tuple[float, float]], called: list[float]) -> Figure:
    """Images a second over HTTP and in Python."""
    return ratio(
        f"server, {REQUESTS[name]} a request, 16 clients: images a second / the model in Python's",
        [32 * rate for rate, _ in loads],
        called,
        SHARE,
        unit="a second",
        labels=("server", "Python"),
    )


def requests(name: str, clients: int, loads: Sequence[tuple[float, float]]) -> Figure:
    """Requests a second, and how long the slowest twentieth takes at least."""
    who = f"{clients} client{'s' if clients > 1 else ''}"
    late = statistics.median(late for _, late in loads) * 1000
    return Figure(
        f"server, {REQUESTS[name]} a request, {who}: requests a second",
        [rate for rate, _ in loads],
        detail=f"95th percentile {late:.0f} ms",
    )


@contextlib.contextmanager
def server(model: Path) -> Iterator[str]:
    """The address of a server that is ready.

    Raises:
        BenchmarkError: It is not ready in time.
    """
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "serving"],
        env={**os.environ, "AIP_STORAGE_URI": str(model), "AIP_HTTP_PORT": "0"},
        stdout=(log := model.with_name("server.log")).open("w"),
        stderr=subprocess.STDOUT,
    )
    try:
        for _ in range(int(READY)):
            time.sleep(1)
            found = re.search(r"http://\S+", log.read_text())
            if found and " ready " in log.read_text():
                break
        else:
            raise BenchmarkError(f"the server is not ready:\n{log.read_text()}")
        yield found[0]
    finally:
        process.terminate()
        process.wait()


def load(url: str, body: Path, clients: int, seconds: float) -> tuple[float, float]:
    """Requests a second, and the 95th percentile in seconds.

    Raises:
        BenchmarkError: A request failed.
    """
    post = ("-m", "POST", "-T", "application/json", "-D", str(body), "-o", "csv")
    report = run([GENERATOR, "-z", f"{seconds}s", "-c", str(clients), *post, f"{url}/predict"])
    answers = list(csv.DictReader(report.output.splitlines()))
    if not answers or any(answer["status-code"] != "200" for answer in answers):
        raise BenchmarkError(f"{GENERATOR} had errors:\n{report.output[-1000:]}")
    times = sorted(float(answer["response-time"]) for answer in answers)
    ended = max(float(answer["offset"]) + float(answer["response-time"]) for answer in answers)
    return len(times) / ended, times[int(0.95 * len(times))]
