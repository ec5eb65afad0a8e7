"""What is installed, wherever something is, is what the lock names, by its hash."""

import re
import shlex
from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from components.embedding import BASE_IMAGE, read_pins
from pipeline.compiler import COMPILED, PROJECT
from pipeline.specs import spec as specs
from pipeline.specs import worker_pools

GOOGLES = "gcr.io/ml-pipeline/google-cloud-pipeline-components:2.22.0"
COMPILED_FILES = sorted(path.relative_to(COMPILED).as_posix() for path in COMPILED.rglob("*.yaml"))
INSTALL = re.compile(r"python3 -m pip install ([^&]*)")


def locked() -> dict[str, Requirement]:
    """The lines of the lock that are meant for this machine, by name."""
    found: dict[str, Requirement] = {}
    for line in (PROJECT / "requirements.lock").read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            requirement = Requirement(line.removesuffix("\\").strip())
            if requirement.marker is None or requirement.marker.evaluate():
                found[canonicalize_name(requirement.name)] = requirement
    return found


def containers(name: str) -> Iterator[tuple[str, str, list[str]]]:
    """Step, image and command of everything that a compiled file starts."""
    for label, executor in specs.load(COMPILED / name)["deploymentSpec"]["executors"].items():
        step = label.removeprefix("exec-").replace("-", "_")
        container = executor["container"]
        yield step, container["image"], container.get("command", [])
        for pool in worker_pools.read(container) or ():
            own = pool["container_spec"]
            yield step, own["image_uri"], own["command"]


def installed(command: list[str]) -> tuple[set[str], set[str]]:
    """What a command installs with its dependencies, and what without."""
    alone: set[str] = set()
    whole: set[str] = set()
    for text in command:
        for arguments in INSTALL.findall(text):
            words = shlex.split(arguments)
            packages = {word for word in words if not word.startswith("-")}
            (alone if "--no-deps" in words else whole).update(packages)
    return whole, {word for word in alone if _applies(word)}


def _applies(word: str) -> bool:
    marker = Requirement(word).marker
    return marker is None or marker.evaluate({"python_version": "3.11"})


@pytest.mark.parametrize("name", COMPILED_FILES)
def test_every_step_installs_its_pins_and_nothing_else(name: str) -> None:
    for step, image, command in containers(name):
        whole, alone = installed(command)
        if image != BASE_IMAGE:
            assert image == GOOGLES, step
            assert not whole | alone, step
            continue
        assert whole == set(read_pins(step)), step
        assert alone | whole == whole | {str(locked()["kfp"])}, step


def test_the_steps_with_pins_were_looked_at() -> None:
    seen = {step for name in COMPILED_FILES for step, image, _ in containers(name)
            if image == BASE_IMAGE}  # fmt: skip
    assert {"ingest", "decode", "train", "evaluate", "find_champion", "package_model"} <= seen


@pytest.mark.parametrize(
    "name", ["Dockerfile", "serving/Dockerfile", "scripts/environment.sh", "scripts/notebook.sh"]
)
def test_nothing_is_installed_from_an_index_without_hashes(name: str) -> None:
    text = (PROJECT / name).read_text().replace("\\\n", " ")
    text = re.sub(r"\$install\b", re.findall(r'install="(.*)"', text + 'install=""')[0], text)
    lines = [line for line in text.splitlines() if re.search(r"-m pip install|pip/pip", line)]
    assert lines
    for line in lines:
        from_index = not re.search("--no-index|--editable|^install=", line)
        assert not from_index or "--require-hashes" in line, line


def test_this_environment_is_the_locks() -> None:
    here = {
        name: metadata.version(name)
        for name, requirement in locked().items()
        if _is_installed(name) and not requirement.specifier.contains(metadata.version(name))
    }
    assert here == {}
    assert {name for name in locked() if not _is_installed(name)} == set()


def _is_installed(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False
