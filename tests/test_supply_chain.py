"""What is installed, wherever something is, is what the locks name, by its hash."""

import re
import shlex
from collections.abc import Iterator
from importlib import metadata

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from components.embedding import BASE_IMAGE, read_pins
from pipeline.compiler import COMPILED, KUBEFLOW_PIPELINE, PROJECT
from pipeline.specs import shared_code, worker_pools
from pipeline.specs import spec as specs
from pipeline.steps import STEPS, VARIANTS

LOCKS = sorted(
    path.relative_to(PROJECT).as_posix()
    for path in (*PROJECT.glob("*.lock"), PROJECT / "serving" / "requirements.lock")
)
RUNNING, DEVELOPING = "requirements.lock", "requirements-dev.lock"
GOOGLES = "gcr.io/ml-pipeline/google-cloud-pipeline-components:2.22.0"
COMPILED_FILES = sorted(path.relative_to(COMPILED).as_posix() for path in COMPILED.rglob("*.yaml"))
INSTALL = re.compile(r"python3 -m pip install ([^&]*)")
HERE: dict[str, str | frozenset[str]] = {
    name: str(value) for name, value in default_environment().items()
}
IMAGE = {**HERE, "python_version": "3.11", "python_full_version": "3.11.0"}


def locked(
    lock: str, environment: dict[str, str | frozenset[str]] = IMAGE
) -> dict[str, tuple[Requirement, set[str]]]:
    """The requirements of a lock in an environment, by name, each with its hashes."""
    found: dict[str, tuple[Requirement, set[str]]] = {}
    for line in (PROJECT / lock).read_text().replace("\\\n", " ").splitlines():
        requirement = Requirement(re.sub(r"\s+--hash=.*", "", line))
        if requirement.marker is None or requirement.marker.evaluate(environment):
            hashes = set(re.findall(r"--hash=(\S+)", line))
            found[canonicalize_name(requirement.name)] = (requirement, hashes)
    return found


def pins(step: str) -> dict[str, str]:
    parts = (pin.partition("==") for pin in read_pins(step))
    return {canonicalize_name(name): version for name, _, version in parts}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_no_address_and_the_versions_of_the_other_locks(lock: str) -> None:
    assert "://" not in (PROJECT / lock).read_text()
    own, others = locked(lock), locked(RUNNING) | locked(DEVELOPING)
    assert all(hashes for _, hashes in own.values())
    for name in own.keys() & others.keys():
        assert own[name][0].specifier == others[name][0].specifier
        assert own[name][1] <= others[name][1]


def test_what_a_stock_image_installs_has_hashes_and_the_tensorflow_of_the_others() -> None:
    own = locked("serving/python310.txt")
    assert all(hashes for _, hashes in own.values())
    for name in ("tensorflow-cpu", "google-cloud-storage"):
        assert own[name][0].specifier == locked("serving/requirements.lock")[name][0].specifier


def test_the_pins_of_a_step_are_the_locks_and_the_whole_closure_of_its_packages() -> None:
    versions = locked(RUNNING)
    for step in STEPS:
        own = pins(step.name)
        for name, version in own.items():
            assert versions[name][0].specifier == f"=={version}", (step.name, name)
        packages = {name.replace("tensorflow", "tensorflow-cpu") for name in step.packages}
        assert closure(packages) <= own.keys(), step.name


def closure(roots: set[str]) -> set[str]:
    """What the installed packages' own metadata requires, by the markers of the steps' image."""
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


def test_accelerators_change_tensorflow_and_add_nvidias_packages_alone() -> None:
    usual, accelerated = pins("train"), pins("train_cuda")
    assert usual.pop("tensorflow-cpu") == accelerated.pop("tensorflow")
    assert usual.items() <= accelerated.items()
    added = accelerated.keys() - usual.keys()
    assert added
    assert all(name.startswith("nvidia-") for name in added)


@pytest.mark.parametrize("lock", ["requirements-image.lock", "requirements-cuda.lock"])
def test_an_image_holds_the_pins_of_every_step(lock: str) -> None:
    accelerated = "cuda" in lock
    steps = {*(step.name for step in STEPS), *VARIANTS} - {"train" if accelerated else "train_cuda"}
    wanted = {pin for step in steps for pin in read_pins(step)}
    if accelerated:
        wanted = {pin for pin in wanted if not pin.startswith("tensorflow-cpu==")}
    held = {f"{name}{own.specifier}" for name, (own, _) in locked(lock).items()}
    assert held == wanted


def containers(name: str) -> Iterator[tuple[str, str, list[str]]]:
    """Step, image and command of everything that a compiled file starts."""
    spec = shared_code.separate(specs.load(COMPILED / name))
    for label, executor in spec["deploymentSpec"]["executors"].items():
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
    markers = {word: Requirement(word).marker for word in alone}
    image = {"python_version": "3.11"}
    return whole, {word for word, marker in markers.items() if not marker or marker.evaluate(image)}


@pytest.mark.parametrize("name", COMPILED_FILES)
def test_every_step_installs_its_pins_and_nothing_else(name: str) -> None:
    for step, image, command in containers(name):
        whole, alone = installed(command)
        if image != BASE_IMAGE:
            assert image == GOOGLES, step
            assert not whole | alone, step
            continue
        variant = f"{step}_mlflow" if name == KUBEFLOW_PIPELINE else ""
        pinned = "upload" if step == "package_model" else variant if variant in VARIANTS else step
        assert whole == set(read_pins(pinned)), step
        assert alone | whole == whole | {str(locked(RUNNING)["kfp"][0])}, step


@pytest.mark.parametrize(
    "name",
    ["Dockerfile", "serving/Dockerfile", "scripts/environment.sh", "scripts/install.sh"],
)
def test_nothing_is_installed_from_an_index_without_hashes(name: str) -> None:
    text = (PROJECT / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if re.search("(pip|uv)\\S* .*install ", line)]
    assert lines
    for line in lines:
        # install.sh puts the option before what it was given.
        options = f"{line} {text}" if '"$@"' in line else line
        assert re.search("--require-hashes|--no-index|--editable", options), line


def test_this_environment_is_the_locks() -> None:
    wanted = locked(RUNNING, HERE) | locked(DEVELOPING, HERE)
    here: dict[str, str] = {
        canonicalize_name(each.name): each.version for each in metadata.distributions()
    }
    assert {
        name: here.get(name, "missing")
        for name, (requirement, _) in wanted.items()
        if name not in here or here[name] not in requirement.specifier
    } == {}
