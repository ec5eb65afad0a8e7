"""Runs, compiles and registry writes at the same time."""

import hashlib
import itertools
import json
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from components.dataset.manifest import content_digest, read_manifest, write_manifest
from pipeline import compiler
from pipeline.runs.registry import Registry
from tests import soak
from tests.command import versions
from tests.saved_models import make_model
from tests.small_project import CHECKOUT, SECONDS, SmallProject, assert_tidy

NAME: Final = "fashion-mnist"
WRITES: Final = 3
"""Versions that a writer of the registry adds in a round."""
WRITERS: Final = 4
SPAWN: Final = multiprocessing.get_context("spawn")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> SmallProject:
    return SmallProject(tmp_path_factory.mktemp("project"))


def write_versions(root: Path, model: Path, prefix: str, together: Any = None) -> None:
    for number in range(WRITES):
        run = f"{prefix}-{number}"
        if together:
            together.wait(60)
        Registry(root).add_version(NAME, model, {"run": run}, ["default", run])


def compile_into(output: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "pipeline", "compile", "--output", str(output)]
    return subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.DEVNULL)


def watch(output: Path, registry: Path) -> None:
    """Looks once at everything that others may be writing."""
    for path in output.rglob("*.yaml"):
        same = path.read_bytes() == (compiler.COMPILED / path.relative_to(output)).read_bytes()
        assert same, f"{path} is torn"
    found = Registry(registry).versions(NAME)
    for version in found:
        read_manifest(version.path)
        assert version.facts["version"] == version.number
    holders = [version.number for version in found if "default" in version.aliases]
    assert holders == [version.number for version in found][-1:]


def wait_for(processes: Sequence[Any], output: Path, registry: Path) -> None:
    deadline = time.monotonic() + SECONDS * 2
    while any(is_alive(process) for process in processes):
        assert time.monotonic() < deadline
        watch(output, registry)
        time.sleep(0.01)


def is_alive(process: Any) -> bool:
    if isinstance(process, subprocess.Popen):
        return process.poll() is None
    return bool(process.is_alive())


def exit_codes(processes: Sequence[Any]) -> Iterator[Any]:
    for process in processes:
        popen = isinstance(process, subprocess.Popen)
        yield process.returncode if popen else process.exitcode


@pytest.mark.parametrize("rounds", [1, soak.long(25)])
def test_runs_compiles_and_registry_writes_at_once_lose_and_tear_nothing(
    project: SmallProject, tmp_path: Path, rounds: int
) -> None:
    root, output = tmp_path / "root", tmp_path / "compiled"
    registry = root / "registry"
    project.run(root)
    model = registry / NAME / "1"
    expected = {run_of(model)}
    for number in range(rounds):
        options = [(f"-pseed={number * 2 + own}", "-pmin_improvement=-1") for own in (1, 2)]
        runs = [project.start(root, *each) for each in options]
        writer = SPAWN.Process(target=write_versions, args=(registry, model, f"writer-{number}"))
        writer.start()
        processes = [*runs, compile_into(output), writer]
        wait_for(processes, output, registry)
        assert list(exit_codes(processes)) == [0] * 4
        expected |= {f"writer-{number}-{write}" for write in range(WRITES)}
    assert_tidy(root)

    found = runs_of(root)
    assert len(found) == 1 + rounds * (2 + WRITES)
    assert expected <= set(found)
    assert_compiled(output)


@pytest.mark.parametrize("rounds", [1, soak.long(25)])
def test_four_writers_of_one_registry_and_two_compiles_of_one_folder_lose_and_tear_nothing(
    tmp_path: Path, rounds: int
) -> None:
    root, output = tmp_path / "root", tmp_path / "compiled"
    registry = root / "registry"
    model = make_model(tmp_path / "model")
    digest = content_digest(write_manifest(model))
    for number in range(rounds):
        # Each begins a version when all four are about to.
        together = SPAWN.Barrier(WRITERS)
        names = [f"writer-{number}-{own}" for own in range(WRITERS)]
        given = [(registry, model, name, together) for name in names]
        writers = [SPAWN.Process(target=write_versions, args=each) for each in given]
        processes = [*writers, compile_into(output), compile_into(output)]
        for writer in writers:
            writer.start()
        wait_for(processes, output, registry)
        assert list(exit_codes(processes)) == [0] * len(processes)
    assert_tidy(root)
    assert_tidy(output)

    each = itertools.product(range(rounds), range(WRITERS), range(WRITES))
    assert sorted(runs_of(root)) == sorted(f"writer-{a}-{b}-{c}" for a, b, c in each)
    for version in Registry(registry).versions(NAME):
        assert content_digest(read_manifest(version.path)) == digest
    assert_compiled(output)


def runs_of(root: Path) -> list[str]:
    """The run of each version of a root, none of which is missing, and each with its alias."""
    home = root / "registry" / NAME
    found = sorted(map(int, versions(root)))
    assert found == list(range(1, len(found) + 1))
    runs = [run_of(home / str(number)) for number in found]
    assert len(set(runs)) == len(runs)
    aliases = json.loads((home / "aliases.json").read_text())
    assert aliases.pop("default") == found[-1]
    assert aliases == dict(zip(runs, found, strict=True))
    return runs


def assert_compiled(output: Path) -> None:
    """A folder holds what ``compiled/`` does, and nothing else."""
    assert digests(output) == digests(compiler.COMPILED)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def run_of(version: Path) -> str:
    return str(json.loads((version / "version.json").read_text())["run"])


def test_runs_that_share_a_root_take_turns(project: SmallProject, tmp_path: Path) -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "pipeline", *project.arguments(tmp_path, "-ptrain_steps=2")],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"COLUMNS": "200"},
        )
        for _ in range(4)
    ]
    said = [run.communicate(timeout=SECONDS) for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, said
    waited = ["is used by another run; waiting for it to finish" in error for _, error in said]
    assert waited.count(False) >= 1
    assert waited.count(True) >= 2
    uploaded = [output for output, _ in said if "Model      fashion-mnist version 1" in output]
    assert len(uploaded) == 1
    assert versions(tmp_path) == ["1"]
    trained = list(tmp_path.glob("runs/*/steps/train"))
    assert len(trained) == 1, "each of them trained"
