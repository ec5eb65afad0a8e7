import contextlib
import errno
import json
import multiprocessing
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from pipeline import files as durable
from pipeline.runs import registry_files
from pipeline.runs.registry import Registry, RegistryError
from tests.saved_models import files

NAME = "fashion-mnist"


def add_some(root: Path, source: Path, alias: str, start: Any) -> None:
    """Adds five versions as one of several processes that begin at the same time."""
    start.wait(60)
    for turn in range(5):
        facts = {"by": f"{alias}-{turn}"}
        Registry(root).add_version(NAME, source, facts, ["default", alias])


def die_while_copying(root: Path, source: Path) -> None:
    """Is gone, as after a kill -9, when the first file of a version has been copied."""
    copyfile = shutil.copyfile

    def copy_and_die(*args: Any, **kwargs: Any) -> None:
        copyfile(*args, **kwargs)
        os._exit(9)

    shutil.copyfile = copy_and_die  # type: ignore[assignment]
    Registry(root).add_version(NAME, source, {})


def test_a_version_that_is_being_copied_is_not_seen(
    registry: Registry, saved_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.add_version(NAME, saved_model, {}, ["default"])
    seen = []
    copyfile = shutil.copyfile

    def copy(*args: Any, **kwargs: Any) -> Any:
        done = copyfile(*args, **kwargs)
        numbers = [version.number for version in registry.versions(NAME)]
        seen.append((numbers, registry.resolve(NAME, "default").number))
        return done

    monkeypatch.setattr(shutil, "copyfile", copy)
    registry.add_version(NAME, saved_model, {}, ["default"])
    assert seen == [([1], 1)] * 2
    assert registry.resolve(NAME, "default").number == 2


def test_what_a_killed_process_leaves_is_no_version(registry: Registry, saved_model: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=die_while_copying, args=(registry.root, saved_model)
    )
    process.start()
    process.join(60)
    assert process.exitcode == 9
    assert files(registry.root)
    assert registry.models() == []
    assert registry.add_version(NAME, saved_model, {}, ["default"]).number == 1
    assert registry.models() == [NAME]


def test_a_copy_that_failed_leaves_nothing_and_gives_its_first_reason(
    registry: Registry, saved_model: Path
) -> None:
    for number in range(20):
        (saved_model / f"link-{number:02}").symlink_to("gone")
    with pytest.raises(RegistryError) as caught:
        registry.add_version(NAME, saved_model, {})
    text = str(caught.value)
    assert text.count("No such file or directory") == 1
    assert len(text) < 500
    assert str(registry.root / NAME) in text
    assert files(registry.root / NAME) == {".lock"}


@pytest.mark.parametrize("function", ["copyfile", "copytree"])
def test_a_full_disk_is_called_that_once(
    registry: Registry, saved_model: Path, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    def full(*_args: Any, **_kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "saved_model.pb")

    monkeypatch.setattr(shutil, function, full)
    with pytest.raises(RegistryError, match="make room") as caught:
        registry.add_version(NAME, saved_model, {})
    assert str(caught.value).count("No space left on device") == 1


def test_a_directory_in_the_way_is_left_alone(registry: Registry, saved_model: Path) -> None:
    other = registry.root / NAME / "1"
    other.mkdir(parents=True)
    (other / "notes.txt").write_text("mine")
    version = registry.add_version(NAME, saved_model, {})
    assert (version.number, version.facts["version"]) == (2, 2)
    assert files(other) == {"notes.txt"}


@pytest.mark.parametrize("content", ["{", "[]", "1", "\udcff"])
@pytest.mark.parametrize("name", ["aliases.json", "1/version.json"])
def test_a_damaged_file_of_the_registry_is_named(
    registry: Registry, saved_model: Path, name: str, content: str
) -> None:
    registry.add_version(NAME, saved_model, {}, ["default"])
    path = registry.root / NAME / name
    path.write_bytes(os.fsencode(content))
    with pytest.raises(RegistryError, match=f"{path} .*mend it or remove it"):
        registry.resolve(NAME, "default")


def test_processes_that_add_at_once_lose_no_version(registry: Registry, saved_model: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(4)
    processes = [
        context.Process(target=add_some, args=(registry.root, saved_model, f"run-{n}", start))
        for n in range(4)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0] * 4
    versions = registry.versions(NAME)
    assert [version.facts["version"] for version in versions] == list(range(1, 21))
    assert {version.facts["by"] for version in versions} == {
        f"run-{n}-{turn}" for n in range(4) for turn in range(5)
    }
    assert registry.resolve(NAME, "default").number == 20
    last = {alias: registry.resolve(NAME, alias).facts["by"] for alias in ("run-0", "run-3")}
    assert last == {"run-0": "run-0-4", "run-3": "run-3-4"}


def die_at(point: str, root: Path, source: Path) -> None:
    """Is gone, as after a kill -9, at one point of adding a version."""
    step = {"renamed": "sync_file", "merged": "replacing"}
    original = getattr(durable, step[point])

    def then_die(path: Path, *args: Any, **options: Any) -> Any:
        if point == "renamed" and path.name == NAME:
            os._exit(9)
        if point == "merged" and path.name == "aliases.json":
            return dies_after(original(path, *args, **options))
        return original(path, *args, **options)

    setattr(durable, step[point], then_die)
    Registry(root).add_version(NAME, source, {}, ["default", "run-2"])


@contextlib.contextmanager
def dies_after(block: Any) -> Any:
    with block as value:
        yield value
    os._exit(9)


@pytest.mark.parametrize("point", ["renamed", "merged"])
@pytest.mark.parametrize("before", [0, 1])
def test_a_version_whose_writer_was_killed_has_its_aliases(
    registry: Registry, saved_model: Path, point: str, before: int
) -> None:
    for _ in range(before):
        registry.add_version(NAME, saved_model, {}, ["default", "run-1"])
    process = multiprocessing.get_context("spawn").Process(
        target=die_at, args=(point, registry.root, saved_model)
    )
    process.start()
    process.join(60)
    assert process.exitcode == 9
    killed = before + 1
    assert registry.resolve(NAME, "default").number == killed
    assert registry.resolve(NAME, "run-2").number == killed
    registry.add_version(NAME, saved_model, {}, ["default"])
    assert registry.resolve(NAME, "default").number == killed + 1
    assert registry.resolve(NAME, "run-2").number == killed
    left = [path for path in files(registry.root / NAME) if "aliases" in path]
    assert left == ["aliases.json"]


def test_what_a_killed_writer_left_is_removed_by_the_next(
    registry: Registry, saved_model: Path
) -> None:
    registry.add_version(NAME, saved_model, {})
    half = registry.root / NAME / ".incoming-dead" / "model"
    half.mkdir(parents=True)
    (half / "saved_model.pb").write_bytes(b"half")
    (registry.root / NAME / f"{durable.UNFINISHED}dead").write_text("half")
    registry.add_version(NAME, saved_model, {})
    names = {path.name for path in (registry.root / NAME).iterdir()}
    assert names == {".lock", "1", "2"}


def test_a_reader_at_any_moment_finds_the_newest_version_by_its_aliases(
    registry: Registry, saved_model: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    writer = context.Process(target=add_some, args=(registry.root, saved_model, "run", start))
    writer.start()
    start.wait(60)
    seen = set()
    while writer.is_alive():
        versions = registry.versions(NAME)
        by_alias = [version.number for version in versions if "default" in version.aliases]
        # The alias of a version comes with it, never before and never after.
        assert by_alias == [version.number for version in versions][-1:]
        seen.add(len(versions))
    assert writer.exitcode == 0
    assert len(seen) > 1


@pytest.mark.parametrize(
    "facts",
    [
        {"digests": []},
        {"metrics": None},
        {"metrics": {"accuracy": "high"}},
        {"metrics": {"accuracy": 10**400}},
        {"parameters": [1]},
        {"run": 7},
        {"created": "yesterday"},
        {"created": "2026-11-24T23:41:43"},
        {"created": None},
    ],
)
def test_a_record_that_no_run_writes_is_refused(facts: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "version.json").write_text(json.dumps(facts))
    with pytest.raises(RegistryError, match=rf"{next(iter(facts))} not as a run writes it"):
        registry_files.read_version(tmp_path)
