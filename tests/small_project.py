"""A small project whose runs are disturbed, and what a run came to, to be compared."""

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from components.dataset.manifest import content_digest, read_manifest
from tests.command import fashion_mnist, states, summary, versions
from tests.idx_files import write_idx_set

PARAMETERS = ("validation_examples=50", "shards=2", "batch_size=32", "filters=[4, 8]", "epochs=3",
              "dense_units=16", "precision=float32", "min_accuracy=0")  # fmt: skip
CHECKOUT = Path(__file__).parents[1]
SECONDS = 600.0
Sign = Callable[[Path], bool]
"""What is seen of a step, by its folder in the run."""
LAST = "model-evaluation-import-2"
"""The last step of a run that makes the first version."""


class SmallProject:
    """A source and the command that runs on it, in any root."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.digests = write_idx_set(path / "source", train_per_class=40, test_per_class=10)

    def arguments(self, root: Path, *options: str) -> list[str]:
        parameters = [*PARAMETERS, f"digests={json.dumps(self.digests)}"]
        given = [argument for parameter in parameters for argument in ("-p", parameter)]
        source = str(self.path / "source")
        return ["run", "--root", str(root), "--source", source, *given, *options]

    def run(self, root: Path, *options: str) -> "subprocess.CompletedProcess[str]":
        """Runs to the end, which must be a good one."""
        done = fashion_mnist(*self.arguments(root, *options), cwd=CHECKOUT)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    @functools.cached_property
    def undisturbed(self) -> Path:
        """The root of a run that nobody disturbed."""
        root = self.path / "undisturbed"
        self.run(root)
        return root

    def start(self, root: Path, *options: str) -> "subprocess.Popen[bytes]":
        """Starts a run that leads a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", *self.arguments(root, *options)],
            cwd=CHECKOUT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill_when(self, root: Path, condition: Callable[[], bool]) -> bool:
        """Starts a run and kills its process group, cleaning up nothing, when it is time.

        Returns:
            Whether the run was still going on.
        """
        process = self.start(root)
        deadline = time.monotonic() + SECONDS
        while process.poll() is None and not condition():
            assert time.monotonic() < deadline, "the moment never came"
            time.sleep(0.005)
        gone = process.poll() is None
        kill(process)
        return gone

    def kill_in(self, root: Path, step: str, sign: Sign) -> None:
        """Starts a run and kills it in a step, at a sign that the step is at its work."""
        before = set(logs(root, step))

        def new() -> list[Path]:
            return [path.parent for path in set(logs(root, step)) - before]

        gone = self.kill_when(root, lambda: any(sign(folder) for folder in new()))
        assert gone, f"the run ended before it was killed in {step}"
        (folder,) = new()
        assert not (folder / "executor_output.json").exists(), f"{step} was done already"


def runs(folder: Path) -> bool:
    """Whether the Python process of a step is there, after those that start it."""
    module, output = b"\0-m\0kfp.dsl.executor_main\0", f"{folder.resolve()}/".encode()
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command = process.read_bytes()
            if module in command and output in command:
                return True
    return False


def said(text: str) -> Sign:
    """Whether a step has said something."""
    return lambda folder: text in (folder / "log.txt").read_text()


def kill(process: "subprocess.Popen[bytes]") -> None:
    """SIGKILL for the whole process group."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def logs(root: Path, step: str) -> list[Path]:
    return list(root.glob(f"runs/*/steps/{step}/log.txt"))


def outcome(root: Path) -> dict[str, Any]:
    """What the newest run of a root came to, and what the root holds, but for times and names."""
    told = summary(root)
    assert told["state"] == "done", told["error"]
    outputs = {step["name"]: step["outputs"] for step in told["steps"]}
    records = {
        name: read_manifest(Path(value["uri"]))["files"]
        for name, value in outputs["decode"].items()
    }
    model = Path(outputs["train"]["model"]["uri"])
    metrics = told["metrics"]
    return {
        "raw": outputs["ingest"]["raw"]["metadata"],
        "records": records,
        "model": content_digest(read_manifest(model)),
        "curve": curve(Path(outputs["train"]["history"]["uri"])),
        "metrics": {name: metrics[name] for name in ("accuracy", "loss", "macro_f1")},
        "registry": [of_version(root, number) for number in versions(root)],
    }


def curve(history: Path) -> list[dict[str, Any]]:
    rows = json.loads(history.read_text())["epochs"]
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]


def of_version(root: Path, number: str) -> dict[str, Any]:
    home = root / "registry" / "fashion-mnist"
    facts = json.loads((home / number / "version.json").read_text())
    aliases = json.loads((home / "aliases.json").read_text())
    own = [alias for alias, target in aliases.items() if target == int(number)]
    (run,) = set(own) - {"default"}
    assert run == facts["run"]
    return {
        "content": content_digest(read_manifest(home / number)),
        "evaluation": json.loads((home / number / "evaluation.json").read_text()),
        "default": "default" in own,
        "metrics": facts["metrics"],
        "digests": facts["digests"],
    }


def assert_tidy(root: Path) -> None:
    """Nothing is left in a root of what was half done."""
    assert not list(root.glob("runs/*/scratch"))
    assert not list(root.rglob(".unfinished-*"))
    assert not list(root.rglob(".incoming-*"))
    assert not list(root.rglob("*ckpt*")), "checkpoints are left"


__all__ = ["LAST", "SmallProject", "assert_tidy", "kill", "logs", "outcome", "runs", "said",
           "states", "summary"]  # fmt: skip
