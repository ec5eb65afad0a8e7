"""The command that checks models against what is recorded of them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.runs.registry import Registry, Version
from tests.pipeline.recorded_version import NAME, flip_a_bit, lose_the_record, register


class TestTheCommand:
    def call(self, registry: Registry, *arguments: str) -> Any:
        place = ("--root", str(registry.root.parent))
        return CliRunner().invoke(app, ["models", "--verify", *arguments, *place])

    @pytest.mark.parametrize("what", [(), ("1",), ("default",), (f"{NAME}@1",)])
    def test_versions_are_named_as_everywhere(
        self, version: Version, registry: Registry, what: tuple[str, ...]
    ) -> None:
        done = self.call(registry, *what)
        assert done.exit_code == 0, done.output
        assert str(version.path) in done.stdout
        assert "FashionMNIST's own files" in done.stdout

    def test_a_directory_is_checked_as_it_is(
        self, version: Version, registry: Registry, tmp_path: Path
    ) -> None:
        done = self.call(registry, str(tmp_path / "first"))
        assert done.exit_code == 0
        assert "in no registry" in done.stdout

    def test_what_failed_is_the_exit_code(self, version: Version, registry: Registry) -> None:
        flip_a_bit(version.path)
        done = self.call(registry)
        assert done.exit_code == 1
        assert f"1 of 1 not as recorded: {version.path}" in done.stderr
        (told,) = json.loads(self.call(registry, "--json").stdout)
        assert told["sound"] is False
        assert told["findings"][0]["state"] == "failed"

    @pytest.mark.parametrize("elsewhere", [False, True])
    def test_a_version_whose_record_is_gone_fails_however_it_is_named(
        self, version: Version, registry: Registry, tmp_path: Path, elsewhere: bool
    ) -> None:
        lose_the_record(version.path)
        asked_from = Registry(tmp_path / "other" / "registry") if elsewhere else registry
        for what in [(str(version.path),), *([] if elsewhere else [(), ("1",)])]:
            done = self.call(asked_from, *what)
            assert done.exit_code == 1, done.output
            assert "there is no version.json" in done.stdout

    def test_a_version_that_was_put_there_by_hand_fails_too(
        self, registry: Registry, tmp_path: Path
    ) -> None:
        register(Registry(tmp_path / "other"), tmp_path / "first")
        shutil.copytree(tmp_path / "first", registry.root / NAME / "1")
        assert self.call(registry).exit_code == 1

    def test_what_is_not_there_is_named(self, version: Version, registry: Registry) -> None:
        assert "no such directory" in self.call(registry, "./nowhere").stderr
        assert "no version or alias '7'" in self.call(registry, "7").stderr

    def test_a_version_without_verify_is_wrong_use(self, registry: Registry) -> None:
        done = CliRunner().invoke(app, ["models", "1", "--root", str(registry.root.parent)])
        assert done.exit_code == 2
        assert "only --verify takes a model" in done.stderr

    def test_a_broken_record_is_a_finding_and_the_others_are_checked(
        self, version: Version, registry: Registry, tmp_path: Path
    ) -> None:
        broken = register(registry, tmp_path / "second")
        (broken.path / "version.json").write_text("{")
        done = self.call(registry)
        assert done.exit_code == 1
        assert "FashionMNIST's own files" in done.stdout
        assert "is no JSON" in " ".join(done.stdout.split())
        assert f"1 of 2 not as recorded: {broken.path}" in done.stderr
