import json
from datetime import datetime
from pathlib import Path

import pytest

from pipeline.runs import registry as registries
from pipeline.runs.registry import Registry, RegistryError
from tests.saved_models import files, make_model

NAME = "fashion-mnist"


def numbers(registry: Registry, model: str = NAME) -> list[int]:
    return [version.number for version in registry.versions(model)]


def test_a_registry_that_does_not_exist_is_empty(registry: Registry) -> None:
    assert registry.models() == []
    assert registry.versions(NAME) == []
    assert not registry.root.exists()


def test_versions_count_up_from_one(registry: Registry, saved_model: Path) -> None:
    added = [registry.add_version(NAME, saved_model, {}).number for _ in range(3)]
    assert added == [1, 2, 3]
    assert numbers(registry) == [1, 2, 3]
    assert registry.models() == [NAME]


def test_models_count_for_themselves(registry: Registry, saved_model: Path) -> None:
    for name in ("b", "a", "b"):
        registry.add_version(name, saved_model, {}, ["default"])
    assert registry.models() == ["a", "b"]
    assert (numbers(registry, "a"), numbers(registry, "b")) == ([1], [1, 2])
    assert registry.resolve("a", "default").number == 1


def test_the_tenth_version_comes_after_the_ninth(registry: Registry, saved_model: Path) -> None:
    for number in ("9", "10"):
        make_model(registry.root / NAME / number)
    assert registry.add_version(NAME, saved_model, {}).number == 11
    assert numbers(registry) == [9, 10, 11]


def test_a_version_is_the_model_and_what_is_known_of_it(
    registry: Registry, saved_model: Path
) -> None:
    version = registry.add_version(NAME, saved_model, {"digests": {"model": "feed"}}, ["stable"])
    assert version == registry.resolve(NAME, "1")
    assert version.path == registry.root / NAME / "1"
    assert files(version.path) == {*files(saved_model), "version.json"}
    assert (version.digest, version.aliases) == ("feed", ("stable",))
    facts = json.loads((version.path / "version.json").read_text())
    assert facts == version.facts
    assert (facts["model"], facts["version"]) == (NAME, 1)
    assert str(datetime.fromisoformat(facts["created"]).tzinfo) == "UTC"


def test_a_model_that_somebody_put_there_is_a_version(registry: Registry) -> None:
    make_model(registry.root / NAME / "3")
    version = registry.resolve(NAME, "3")
    assert (version.facts, version.digest, version.aliases) == ({}, "", ())


def test_aliases_move_to_the_new_version(registry: Registry, saved_model: Path) -> None:
    registry.add_version(NAME, saved_model, {}, ["default", "run-1"])
    registry.add_version(NAME, saved_model, {}, ["run-2", "default"])
    assert [version.aliases for version in registry.versions(NAME)] == [
        ("run-1",),
        ("default", "run-2"),
    ]
    aliases = json.loads((registry.root / NAME / "aliases.json").read_text())
    assert aliases == {"default": 2, "run-1": 1, "run-2": 2}


def test_a_version_without_aliases_takes_none(registry: Registry, saved_model: Path) -> None:
    registry.add_version(NAME, saved_model, {}, ["default"])
    registry.add_version(NAME, saved_model, {})
    assert registry.resolve(NAME, "default").number == 1


@pytest.mark.parametrize(("reference", "number"), [("default", 2), ("run-1", 1), ("1", 1)])
def test_a_version_is_found_by_alias_or_number(
    registry: Registry, saved_model: Path, reference: str, number: int
) -> None:
    for turn in (1, 2):
        registry.add_version(NAME, saved_model, {}, ["default", f"run-{turn}"])
    assert registry.resolve(NAME, reference).number == number


def test_a_model_that_is_not_there_is_answered_with_those_that_are(
    registry: Registry, saved_model: Path
) -> None:
    with pytest.raises(RegistryError, match="no model 'digits'; models there: none"):
        registry.resolve("digits", "default")
    registry.add_version(NAME, saved_model, {})
    with pytest.raises(RegistryError, match=f"no model 'digits'; models there: {NAME}"):
        registry.resolve("digits", "default")


@pytest.mark.parametrize("reference", ["production", "3", "01", ""])
def test_a_version_that_is_not_there_is_answered_with_those_that_are(
    registry: Registry, saved_model: Path, reference: str
) -> None:
    registry.add_version(NAME, saved_model, {})
    registry.add_version(NAME, saved_model, {}, ["default", "best"])
    with pytest.raises(RegistryError) as caught:
        registry.resolve(NAME, reference)
    assert f"no version or alias {reference!r}; versions there: 1, 2 (best, default)" in str(
        caught.value
    )


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../out", "/etc", "a/b", ".hidden", 'a"b', "a\\b", "a\nb", "a\x00b",
     "x" * 129, "ü" * 128],
)  # fmt: skip
def test_a_name_never_leads_out_of_the_registry(
    registry: Registry, saved_model: Path, name: str
) -> None:
    with pytest.raises(RegistryError, match="cannot name a model"):
        registry.add_version(name, saved_model, {})
    with pytest.raises(RegistryError, match="cannot name a model"):
        registry.resolve(name, "default")
    assert not registry.root.exists()


@pytest.mark.parametrize("name", ["a", "Fashion MNIST (v2)", "ü" * 127, "x" * 128, "a..b"])
def test_a_name_may_be_anything_that_a_directory_may(
    registry: Registry, saved_model: Path, name: str
) -> None:
    assert registry.add_version(name, saved_model, {}).path.parent == registry.root / name
    assert registry.models() == [name]


def test_a_directory_without_a_graph_is_no_model(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"holds no saved_model\.pb.*--no-cache"):
        registry.add_version(NAME, tmp_path, {})
    assert not registry.root.exists()


def test_the_environment_names_the_registry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASHION_MNIST_REGISTRY", str(tmp_path / "a" / "registry"))
    assert registries.from_environment().root == tmp_path / "a" / "registry"
    assert (tmp_path / "a" / "registry").is_dir()


def test_without_a_registry_in_the_environment_the_variable_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FASHION_MNIST_REGISTRY", raising=False)
    with pytest.raises(RegistryError, match="FASHION_MNIST_REGISTRY is not set"):
        registries.from_environment()


def test_a_version_has_a_name_as_vertex_ai_would_write_it() -> None:
    assert registries.resource_name(NAME) == f"projects/local/locations/local/models/{NAME}"
    assert registries.resource_name(NAME, 3).endswith(f"/models/{NAME}@3")
