"""The distributed pipeline from the command line, with a worker that dies in the middle."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import fashion_mnist, summary
from tests.idx_files import write_idx_set

PARAMETERS = ("validation_examples=50", "shards=2", "batch_size=32", "filters=[16, 32]",
              "epochs=4", "precision=float32", "min_accuracy=0.5")  # fmt: skip
SECONDS = 600.0


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def arguments(project: Path) -> list[str]:
    digests = write_idx_set(project / "source", train_per_class=60, test_per_class=20)
    parameters = [*PARAMETERS, f"digests={json.dumps(digests)}"]
    given = [argument for parameter in parameters for argument in ("-p", parameter)]
    return ["run", "--source", str(project / "source"), *given]


def processes_of(pool: str, root: Path) -> Iterator[int]:
    """The processes of a worker pool whose job runs under ``root``."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f'"type": "{pool}"' in environment and f"TMPDIR={root}" in environment:
            yield int(path.parent.name)


def wait_for(text: str, root: Path, run: "subprocess.Popen[str]") -> None:
    """Waits until the training's log has a text."""
    deadline = time.monotonic() + SECONDS
    while not any(text in log.read_text() for log in root.glob("runs/*/steps/train/log.txt")):
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < deadline, f"no {text!r}"
        time.sleep(0.1)


@pytest.mark.timeout(2 * SECONDS)
def test_a_job_whose_worker_dies_ends_with_the_model_of_one_machine(
    project: Path, arguments: list[str]
) -> None:
    root = project / "distributed"
    command = [sys.executable, "-m", "pipeline", *arguments, "--replicas", "2"]
    run = subprocess.Popen(
        [*command, "--root", str(root)],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_for("epoch 1/4", root, run)
    # Its checkpoint is written after that line, and before the next.
    wait_for("epoch 2/4", root, run)
    for process in processes_of("workerpool1", root.resolve()):
        os.kill(process, signal.SIGKILL)
    said, _ = run.communicate(timeout=SECONDS)
    assert run.returncode == 0, said
    assert "replica 1 died; the job starts again (1 of 3 times)" in said
    assert "going on after epoch" in said
    assert said.count("epoch 1/4") == 1
    assert not list((root / "bucket").rglob("*ckpt*")), "checkpoints are left"

    plain = fashion_mnist(*arguments, "--root", str(project / "plain"), cwd=project)
    assert plain.returncode == 0, plain.stdout
    distributed, alone = (summary(path)["metrics"] for path in (root, project / "plain"))
    assert distributed["accuracy"] == alone["accuracy"]
    assert distributed["loss"] == pytest.approx(alone["loss"], abs=0.03)


def test_a_number_of_replicas_and_a_spec_are_not_given_together(tmp_path: Path) -> None:
    done = fashion_mnist("run", "--replicas", "2", "--spec", "x.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "leave out --spec or --replicas" in done.stderr


def test_workers_that_cannot_share_a_batch_end_the_run_with_the_reason(
    project: Path, arguments: list[str]
) -> None:
    root = project / "uneven"
    done = fashion_mnist(
        *arguments, "-p", "batch_size=33", "--replicas", "2", "--root", str(root), cwd=project
    )
    assert done.returncode == 1
    assert "2 replicas cannot share a batch of 33; use a multiple" in done.stderr
