"""The distributed training from the command line, with a worker that dies in the middle."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pipeline.compiler import COMPILED, DISTRIBUTED_PIPELINE
from pipeline.runs.record import Run
from tests import soak
from tests.command import newest_run, start
from tests.light_steps import light_spec
from tests.small_project import SECONDS, TRAINING, FirstRun, Project, logs


def processes_of(pool: str, root: Path) -> Iterator[int]:
    """The processes of a worker pool whose job runs under ``root``."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if f'"type": "{pool}"' in environment and f"TMPDIR={root}" in environment:
            yield int(path.parent.name)


@pytest.mark.timeout(2 * SECONDS)
@pytest.mark.usefixtures("behind_a_proxy")
@pytest.mark.parametrize("dies", [False, soak.long(True)])
def test_a_job_of_two_machines_ends_with_the_model_of_one_even_if_a_worker_dies(
    first_run: FirstRun, light: Project, tmp_path: Path, dies: bool
) -> None:
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(light_spec(COMPILED / DISTRIBUTED_PIPELINE, ("evaluate",))))
    root = tmp_path / "root"
    training = [argument for value in TRAINING for argument in ("-p", value)]
    arguments = first_run.project.arguments(root, "--spec", str(spec), *training)
    process = start(*arguments, cwd=tmp_path)
    if dies:
        kill_a_worker(root, process)
    said, error = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said + error
    assert ("replica 1 died (Killed, exit code 137" in said) is dies
    assert ("resuming after epoch" in said) is dies
    assert said.count("epoch 1/4") == 1
    assert not list((root / "bucket").rglob("*ckpt*")), "checkpoints are left"

    run = Run.read(newest_run(root))
    figures = (each["train"]["train_metrics"].metadata for each in (run, first_run.run))
    distributed, alone = figures
    for name, tolerance in (("validation_accuracy", 0.05), ("validation_loss", 0.01)):
        assert distributed[name] == pytest.approx(alone[name], abs=tolerance)


def kill_a_worker(root: Path, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + SECONDS
    # The checkpoint of an epoch is written after its line, and before the next.
    while not any("epoch 2/4" in log.read_text() for log in logs(root, "train")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for number in processes_of("workerpool1", root.resolve()):
        os.kill(number, signal.SIGKILL)
