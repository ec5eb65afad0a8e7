"""The steps' pins are the lock's, and the whole closure of what a step needs."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from components.embedding import read_pins

PROJECT = Path(__file__).parents[2]
GROUPS: dict[str, list[str]] = tomllib.loads((PROJECT / "pyproject.toml").read_text())[
    "dependency-groups"
]
CUDA = "train_cuda"
STEPS = sorted(set(GROUPS) - {"dev", "notebook", "serving", CUDA})
IMAGE: dict[str, str | frozenset[str]] = {
    **{name: str(value) for name, value in default_environment().items()},
    "python_version": "3.11",
    "python_full_version": "3.11.0",
}


def lock_versions(lock: str = "requirements.lock") -> dict[str, set[str]]:
    versions: dict[str, set[str]] = {}
    for line in (PROJECT / lock).read_text().splitlines():
        if found := re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", line):
            versions.setdefault(canonicalize_name(found[1]), set()).add(found[2])
    return versions


def pins(step: str) -> dict[str, str]:
    return {
        canonicalize_name(name): version
        for name, _, version in (pin.partition("==") for pin in read_pins(step))
    }


def closure(roots: list[str]) -> set[str]:
    """What the installed packages' own metadata asks for, by the markers of the steps' image."""
    seen: set[str] = set()
    todo = [Requirement(root) for root in roots]
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        if name in seen and not requirement.extras:
            continue
        seen.add(name)
        for text in metadata.requires(name) or []:
            needed = Requirement(text)
            extras = requirement.extras or {""}
            if needed.marker is None or any(
                needed.marker.evaluate({**IMAGE, "extra": extra}) for extra in extras
            ):
                todo.append(needed)
    return seen


@pytest.mark.parametrize("step", STEPS)
def test_every_pin_is_the_locks(step: str) -> None:
    locked = lock_versions()
    assert {
        name: version for name, version in pins(step).items() if version not in locked[name]
    } == {}


@pytest.mark.parametrize("step", STEPS)
def test_the_pins_are_the_whole_closure(step: str) -> None:
    assert closure(GROUPS[step]) - set(pins(step)) == set()


def test_accelerators_add_the_packages_that_tensorflow_names_and_nothing_else() -> None:
    named = [Requirement(text) for text in metadata.requires("tensorflow") or []]
    wanted = {
        canonicalize_name(needed.name): needed.specifier
        for needed in named
        if needed.marker
        and needed.marker.evaluate({**IMAGE, "extra": "and-cuda"})
        and not needed.marker.evaluate({**IMAGE, "extra": ""})
    }
    added = {name: version for name, version in pins(CUDA).items() if name not in pins("train")}
    assert added.keys() == wanted.keys()
    assert all(added[name] in specifier for name, specifier in wanted.items())
    assert pins("train").items() <= pins(CUDA).items()


def test_the_notebooks_lock_changes_nothing_that_is_installed() -> None:
    own = lock_versions("requirements-notebook.lock")
    assert "jupyterlab" in own
    assert {name: own[name] for name in own.keys() & lock_versions()} == {
        name: versions for name, versions in lock_versions().items() if name in own
    }


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-notebook.lock"])
def test_the_lock_has_hashes_and_no_address(lock: str) -> None:
    text = (PROJECT / lock).read_text()
    assert "://" not in text
    for entry in re.split(r"\n(?=[a-z])", text):
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
