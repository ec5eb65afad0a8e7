"""Runs and writes to the registry at the same time."""

import itertools
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from components.dataset.manifest import content_digest, read_manifest, write_manifest
from pipeline.runs.record import Run
from pipeline.runs.registry import Registry
from tests import soak
from tests.command import versions
from tests.saved_models import make_model
from tests.small_project import (
    FORK,
    SECONDS,
    Process,
    Project,
    assert_tidy,
    logs,
    states,
)

NAME: Final = "fashion-mnist"
WRITES: Final = 3
"""Versions that a writer of the registry adds in a round."""
WRITERS: Final = 4


def test_runs_that_share_a_root_take_turns(light: Project, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    processes = [light.start_light(root) for _ in range(3)]
    wait_for(processes)
    said = [path.read_text() for path in tmp_path.glob("root.*")]
    waited = ["is used by another run; waiting for it to finish" in text for text in said]
    assert sorted(waited) == [False, True, True]
    runs = [Run.read(directory) for directory in root.glob("runs/*")]
    assert sorted(run.version for run in runs) == ["", "", "1"]
    assert sorted(states(run)["train"] for run in runs) == ["cached", "cached", "done"]
    assert len(logs(root, "train")) == 1
    assert_tidy(root)


@pytest.mark.parametrize("rounds", [1, soak.long(25)])
def test_four_writers_of_one_registry_lose_and_tear_nothing(tmp_path: Path, rounds: int) -> None:
    root = tmp_path / "root"
    registry = root / "registry"
    model = make_model(tmp_path / "model")
    digest = content_digest(write_manifest(model))
    for number in range(rounds):
        # Each begins a version when all four are about to.
        together = FORK.Barrier(WRITERS)
        names = [f"writer-{number}-{own}" for own in range(WRITERS)]
        given = [(registry, model, name, together) for name in names]
        writers = [FORK.Process(target=write_versions, args=each) for each in given]
        for writer in writers:
            writer.start()
        wait_for(writers, registry)
    assert_tidy(root)
    each = itertools.product(range(rounds), range(WRITERS), range(WRITES))
    assert sorted(runs_of(root)) == sorted(f"writer-{a}-{b}-{c}" for a, b, c in each)
    for version in Registry(registry).versions(NAME):
        assert content_digest(read_manifest(version.path)) == digest


def write_versions(root: Path, model: Path, prefix: str, together: Any = None) -> None:
    for number in range(WRITES):
        run = f"{prefix}-{number}"
        if together:
            together.wait(60)
        Registry(root).add_version(NAME, model, {"run": run}, ["default", run])


def wait_for(processes: Sequence[Process], registry: Path | None = None) -> None:
    """Waits for the good end of processes, and looks at the registry that they are writing."""
    deadline = time.monotonic() + SECONDS
    while any(process.is_alive() for process in processes):
        assert time.monotonic() < deadline
        time.sleep(0.02)
        if registry is None:
            continue
        found = Registry(registry).versions(NAME)
        for version in found:
            read_manifest(version.path)
            assert version.facts["version"] == version.number
        holders = [version.number for version in found if "default" in version.aliases]
        assert holders == [version.number for version in found][-1:]
    assert [process.exitcode for process in processes] == [0] * len(processes)


def runs_of(root: Path) -> list[str]:
    """The run of each version of a root, none of which is missing, and each with its alias."""
    home = root / "registry" / NAME
    found = sorted(map(int, versions(root)))
    assert found == list(range(1, len(found) + 1))
    facts = [json.loads((home / str(number) / "version.json").read_text()) for number in found]
    runs = [str(each["run"]) for each in facts]
    assert [each["aliases"] for each in facts] == [["default", run] for run in runs]
    return runs
