"""The versions in the local registry: listed, promoted, deleted, verified."""

import json
from pathlib import Path

import pytest

from pipeline.runs.registry import Registry
from tests.pipeline.cli.conftest import Call
from tests.pipeline.local_registry import FIRST, SECOND, add_version
from tests.pipeline.recorded_version import NAME, flip_a_bit, register

ROOT = Path(".fashion-mnist")


class TestModels:
    def test_the_versions_are_listed_the_newest_first(self, call: Call) -> None:
        add_version(ROOT, Path("model"))
        add_version(ROOT, Path("model"), run=SECOND, metrics={"accuracy": 0.94})
        done = call("models", env={"COLUMNS": "20"})
        assert done.exit_code == 0, done.stderr
        header, *rows = done.stdout.splitlines()
        assert header.split() == ["Version", "Aliases", "Accuracy", "Age", "Run"]
        assert rows[0].split()[:3] == ["fashion-mnist@2", "default", "0.9400"]
        assert rows[1].split()[:2] == ["fashion-mnist@1", "0.9123"]
        assert [row.split()[-1] for row in rows] == [SECOND, FIRST]
        first, second = json.loads(call("models", "--json").stdout)
        assert (first["model"], first["version"], first["run"]) == ("fashion-mnist", 2, SECOND)
        assert first["aliases"] == ["default", SECOND]
        assert Path(second["path"], "saved_model.pb").is_file()

    def test_a_champion_is_chosen_and_an_old_version_deleted(self, call: Call) -> None:
        for _ in range(2):
            add_version(ROOT, Path("model"))
        done = call("models", "--promote", "1")
        assert done.stdout == "fashion-mnist version 1 is the champion\n"
        done = call("models", "--delete", "fashion-mnist@2", "--json")
        assert json.loads(done.stdout)["version"] == 2
        (left,) = json.loads(call("models", "--json").stdout)
        assert (left["version"], "default" in left["aliases"]) == (1, True)

    @pytest.mark.parametrize(
        "wrong", [("1",), ("--promote",), ("--delete",), ("1", "--promote", "--delete")]
    )
    def test_a_version_and_what_to_do_with_it_belong_together(
        self, call: Call, wrong: tuple[str, ...]
    ) -> None:
        done = call("models", *wrong)
        assert done.exit_code == 2
        assert "--promote" in done.stderr or "--delete" in done.stderr


class TestVerify:
    @pytest.fixture(autouse=True)
    def registry(self, call: Call) -> Registry:
        registry = Registry(ROOT / "registry")
        register(registry, Path("first"))
        return registry

    @pytest.mark.parametrize("what", [(), ("1",), ("default",), (f"{NAME}@1",), ("first",)])
    def test_models_are_named_by_version_alias_or_directory(
        self, what: tuple[str, ...], call: Call
    ) -> None:
        done = call("models", "--verify", *what)
        assert done.exit_code == 0, done.output
        path = "first" if what == ("first",) else str(ROOT / "registry" / NAME / "1")
        assert done.stdout.splitlines()[0] == path

    def test_a_difference_is_exit_code_1(self, call: Call, registry: Registry) -> None:
        changed = register(registry, Path("second")).path
        flip_a_bit(changed)
        done = call("models", "--verify")
        assert done.exit_code == 1
        assert done.stderr == f"error: 1 of 2 differ from their records: {changed}\n"
        sound = {
            one["path"]: one["sound"]
            for one in json.loads(call("models", "--verify", "--json").stdout)
        }
        assert sound == {str(changed.with_name("1")): True, str(changed): False}

    def test_a_version_that_lost_its_record_differs_even_by_its_path(self, call: Call) -> None:
        version = ROOT / "registry" / NAME / "1"
        (version / "version.json").unlink()
        for what in ((), (str(version),), (str(version), "--root", "elsewhere")):
            done = call("models", "--verify", *what)
            assert done.exit_code == 1, what
            assert "there is no version.json" in done.stdout

    @pytest.mark.parametrize(
        ("what", "error"), [("./nowhere", "no such directory"), ("7", "no version or alias '7'")]
    )
    def test_an_unknown_model_is_an_error(self, what: str, error: str, call: Call) -> None:
        assert error in call("models", "--verify", what).stderr
