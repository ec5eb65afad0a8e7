"""A small data set and runs on it: real ones, and light ones without TensorFlow."""

import contextlib
import functools
import json
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from filelock import FileLock

from components.dataset.manifest import model_digest, read_manifest
from pipeline.local import run as local
from pipeline.local.run import Options
from pipeline.runs.record import Run, Watcher
from pipeline.runs.root import Root
from pipeline.runs.table import Unwatched
from pipeline.specs import parameters
from tests import planted
from tests.command import fashion_mnist, versions
from tests.idx_files import write_idx_set
from tests.light_steps import light_spec

CHECKOUT: Final = Path(__file__).parents[1]
SMALL: Final = ("validation_examples=50", "shards=2", "batch_size=32", "filters=[16, 32]",
                "epochs=6")  # fmt: skip
TRAINING: Final = ("batch_size=32", "filters=[16, 32]", "epochs=4", "precision=float32",
                   "sampling=uniform")  # fmt: skip
"""Hyperparameters that make the same model on one machine and on several."""
SECONDS: Final = 600.0
FORK: Final = multiprocessing.get_context("fork")
Process = multiprocessing.process.BaseProcess


@dataclass(frozen=True)
class Project:
    """A source, and runs on it in any root."""

    path: Path
    digests: dict[str, str]

    @classmethod
    def at(cls, path: Path) -> "Project":
        return cls(path, write_idx_set(path / "source", train_per_class=60, test_per_class=20))

    @property
    def assignments(self) -> list[str]:
        return ["validation_examples=50", "shards=2", "min_accuracy=0.5"]

    def arguments(self, root: Path, *options: str) -> list[str]:
        given = [argument for value in self.assignments for argument in ("-p", value)]
        return ["run", "--root", str(root), "--source", str(self.path / "source"), *given, *options]

    def run_light(
        self,
        root: Path,
        *assignments: str,
        watcher: Watcher | None = None,
        options: Options | None = None,
        spec: Any = None,
    ) -> Run:
        spec = spec or light_spec()
        source = f"source={self.path / 'source'}"
        given = parameters.parse([*self.assignments, source, *assignments], spec)
        values = parameters.resolve(spec, given, own={"bucket_uri": local.BUCKET_URI})
        watching = contextlib.nullcontext(watcher or Unwatched())
        return local.run(spec, values, Root(root), lambda _rows: watching, options)

    def start_light(self, root: Path, *assignments: str) -> Process:
        """Starts a light run in a process that leads a group of its own."""

        def run() -> None:
            os.setsid()
            said = root.with_suffix(f".{os.getpid()}").open("w", buffering=1)
            logging.basicConfig(stream=said, force=True)
            self.run_light(root, *assignments)

        process = FORK.Process(target=run)
        process.start()
        return process

    def kill_when(self, root: Path, condition: Callable[[], bool]) -> bool:
        """Starts a light run and kills its process group when it is time.

        Returns:
            Whether the run was still going on.
        """
        process = self.start_light(root)
        deadline = time.monotonic() + SECONDS
        while process.is_alive() and not condition():
            assert time.monotonic() < deadline, "the moment never came"
            time.sleep(0.005)
        gone = process.is_alive()
        if gone:
            assert process.pid
            os.killpg(process.pid, signal.SIGKILL)
        process.join()
        return gone

    def kill_in(self, root: Path, task: str, text: str) -> None:
        before = set(logs(root, task))

        def said() -> bool:
            return any(text in log.read_text() for log in set(logs(root, task)) - before)

        assert self.kill_when(root, said), f"the run ended before it was killed in {task}"

    @functools.cached_property
    def undisturbed(self) -> Path:
        """The root of a light run that nobody disturbed."""
        root = self.path / "undisturbed"
        self.run_light(root)
        return root


@dataclass(frozen=True)
class FirstRun:
    """A real run that was made once for all tests: look at it, and change nothing."""

    project: Project
    root: Path
    run: Run
    said: str

    @classmethod
    def shared(cls, folder: Path) -> "FirstRun":
        """Makes the run, unless another process has made it."""
        root, said = folder / "root", folder / "said"
        with FileLock(folder.with_suffix(".lock")):
            if not said.exists():
                project = Project.at(folder)
                key = planted.service_account(folder.with_suffix(".json"))
                training = [argument for value in TRAINING for argument in ("-p", value)]
                done = fashion_mnist(
                    *project.arguments(root, *training),
                    cwd=folder,
                    GOOGLE_APPLICATION_CREDENTIALS=str(key),
                    **planted.ENVIRONMENT,
                )
                assert done.returncode == 0, done.stdout + done.stderr
                (folder / "digests.json").write_text(json.dumps(project.digests))
                said.write_text(done.stdout + done.stderr)
        project = Project(folder, json.loads((folder / "digests.json").read_text()))
        (directory,) = root.glob("runs/*")
        return cls(project, root, Run.read(directory), said.read_text())


def logs(root: Path, task: str) -> list[Path]:
    """The logs of a task in all runs of a root, in the order of their last lines."""
    found = root.glob(f"runs/*/steps/{task}/log.txt")
    return sorted(found, key=lambda path: path.stat().st_mtime_ns)


def states(run: Run) -> dict[str, str]:
    return {name: task.state for name, task in run.steps.items()}


def outcome(root: Path, run: Run) -> dict[str, Any]:
    """What a run came to and what its root holds, except times and names."""
    assert run.state == "done", run.error
    return {
        "raw": run["ingest"]["raw"].metadata,
        "records": {
            name: read_manifest(Path(records.uri))["files"]
            for name, records in run["decode"].items()
        },
        "model": model_digest(Path(run["train"]["model"].uri)),
        "accuracy": run.metrics["accuracy"],
        "registry": [of_version(root, number) for number in versions(root)],
    }


def of_version(root: Path, number: str) -> dict[str, Any]:
    home = root / "registry" / "fashion-mnist"
    facts = json.loads((home / number / "version.json").read_text())
    assert set(facts["aliases"]) == {"default", facts["run"]}
    return {
        "content": model_digest(home / number),
        "evaluation": json.loads((home / number / "evaluation.json").read_text()),
        "metrics": facts["metrics"],
        "digests": facts["digests"],
    }


def assert_tidy(root: Path) -> None:
    """Nothing is left in a root of what was half done."""
    assert not list(root.glob("runs/*/scratch"))
    assert not list(root.rglob(".unfinished-*"))
    assert not list(root.rglob(".incoming*"))
    assert not list(root.rglob("*ckpt*")), "checkpoints are left"


def processes_that_mention(text: str) -> list[str]:
    """The command lines of this machine that have a text in them."""

    def commands() -> Iterator[str]:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")

    return [command for command in commands() if text in command]
