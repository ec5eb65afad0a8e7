"""The local registry: what it holds, several writers at once, and writers that are killed."""

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import pipeline.files
from pipeline.runs.registry import Registry
from pipeline.runs.version_record import RegistryError, sealed
from tests.saved_models import files

NAME = "fashion-mnist"
SPAWN = multiprocessing.get_context("spawn")


def numbers(registry: Registry, model: str = NAME) -> list[int]:
    return [version.number for version in registry.versions(model)]


def test_a_version_is_the_model_and_its_record(registry: Registry, saved_model: Path) -> None:
    assert (registry.models(), registry.versions(NAME)) == ([], [])
    version = registry.add_version(NAME, saved_model, {"digests": {"model": "feed"}}, ["stable"])
    assert version == registry.resolve(NAME, "1") == registry.resolve(NAME, "stable")
    assert version.path == registry.root / NAME / "1"
    assert files(version.path) == {*files(saved_model), "version.json"}
    assert version.digest == "feed"
    facts = json.loads((version.path / "version.json").read_text())
    assert facts == version.facts
    assert (facts["model"], facts["version"], facts["aliases"]) == (NAME, 1, ["stable"])
    assert str(datetime.fromisoformat(facts["created"]).tzinfo) == "UTC"


def test_what_does_not_exist_is_an_error_that_lists_what_does(
    registry: Registry, saved_model: Path
) -> None:
    with pytest.raises(RegistryError, match="no model 'digits'; models there: none"):
        registry.resolve("digits", "default")
    registry.add_version(NAME, saved_model, {})
    registry.add_version(NAME, saved_model, {}, ["default", "best"])
    with pytest.raises(RegistryError, match=f"no model 'digits'; models there: {NAME}"):
        registry.resolve("digits", "default")
    for reference in ("production", "3", "01", ""):
        listed = rf"no version or alias '{reference}'; versions there: 1, 2 \(best, default\)"
        with pytest.raises(RegistryError, match=listed):
            registry.resolve(NAME, reference)


@pytest.mark.parametrize(
    "name",
    ["", "..", "/etc", "a/b", ".hidden", 'a"b', "a\\b", "a\nb", "x" * 129],
)
def test_a_name_never_leads_out_of_the_registry(
    registry: Registry, saved_model: Path, name: str
) -> None:
    with pytest.raises(RegistryError, match="cannot name a model"):
        registry.add_version(name, saved_model, {})
    with pytest.raises(RegistryError, match="cannot name a model"):
        registry.resolve(name, "default")
    assert not registry.root.exists()


def test_a_directory_without_a_graph_is_no_model(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"holds no saved_model\.pb.*--no-cache"):
        registry.add_version(NAME, tmp_path, {})
    assert not registry.root.exists()


def champion(registry: Registry) -> int:
    return registry.resolve(NAME, "default").number


@pytest.mark.parametrize("number", [1, 2, 3])
def test_any_version_can_become_the_champion_and_a_new_one_replaces_it(
    registry: Registry, saved_model: Path, number: int
) -> None:
    for run in ("run-1", "run-2", "run-3"):
        registry.add_version(NAME, saved_model, {"run": run}, ["default", run])
    promoted = registry.promote(NAME, f"run-{number}")
    assert promoted.aliases == ("default", f"run-{number}")
    assert champion(registry) == number
    for version in registry.versions(NAME):
        assert sealed(version.facts) == version.facts
    registry.add_version(NAME, saved_model, {}, ["default"])
    assert champion(registry) == 4


def test_a_promotion_that_breaks_off_leaves_one_champion(
    registry: Registry, saved_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        registry.add_version(NAME, saved_model, {}, ["default"])
    write, left = pipeline.files.write, 2

    def until_it_dies(*content: Any) -> None:
        nonlocal left
        if not left:
            raise KeyboardInterrupt
        left -= 1
        write(*content)

    monkeypatch.setattr(pipeline.files, "write", until_it_dies)
    registry.promote(NAME, "2")
    left = 0
    with pytest.raises(KeyboardInterrupt):
        registry.promote(NAME, "1")
    assert champion(registry) == 2


def test_a_version_is_deleted_unless_others_need_it_as_their_champion(
    registry: Registry, saved_model: Path
) -> None:
    for _ in range(2):
        registry.add_version(NAME, saved_model, {}, ["default"])
    with pytest.raises(RegistryError, match="version 2 of 'fashion-mnist' is the champion"):
        registry.delete(NAME, "default")
    assert not registry.delete(NAME, "1").path.exists()
    assert numbers(registry) == [2]
    registry.delete(NAME, "2")
    assert registry.models() == []


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "\udcff", '{"digests": []}', '{"aliases": [1]}', '{"metrics": {"a": "b"}}'],
)
def test_a_damaged_record_is_named(registry: Registry, saved_model: Path, content: str) -> None:
    path = registry.add_version(NAME, saved_model, {}, ["default"]).path / "version.json"
    path.write_bytes(os.fsencode(content))
    with pytest.raises(RegistryError, match=f"{path}.*; correct or remove it"):
        registry.resolve(NAME, "default")


def test_a_copy_that_fails_leaves_nothing_and_gives_its_first_reason(
    registry: Registry, saved_model: Path
) -> None:
    for number in range(20):
        (saved_model / f"link-{number:02}").symlink_to("gone")
    with pytest.raises(RegistryError, match="make room") as caught:
        registry.add_version(NAME, saved_model, {})
    assert str(caught.value).count("No such file or directory") == 1
    assert files(registry.root / NAME) == {".lock"}


def die(*_: Any, **__: Any) -> None:
    os._exit(9)  # As after SIGKILL: nothing is cleaned up.


def die_while_copying(root: Path, source: Path) -> None:
    shutil.copyfile = die  # type: ignore[assignment]
    Registry(root).add_version(NAME, source, {}, ["default", "run-2"])


def die_after_the_rename(root: Path, source: Path) -> None:
    Registry.versions = die  # type: ignore[assignment,method-assign]
    Registry(root).add_version(NAME, source, {}, ["default", "run-2"])


@pytest.mark.parametrize(("dies", "number"), [(die_while_copying, 1), (die_after_the_rename, 2)])
def test_a_killed_writer_leaves_all_of_a_version_or_nothing(
    registry: Registry, saved_model: Path, dies: Callable[[Path, Path], None], number: int
) -> None:
    registry.add_version(NAME, saved_model, {}, ["default", "run-1"])
    process = SPAWN.Process(target=dies, args=(registry.root, saved_model))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    assert numbers(registry) == list(range(1, number + 1))
    assert registry.resolve(NAME, "default").number == number
    assert registry.add_version(NAME, saved_model, {}, ["default"]).number == number + 1
    names = {path.name for path in (registry.root / NAME).iterdir()}
    assert names == {".lock", *map(str, range(1, number + 2))}
