"""Writes every lock of the project: ``make lock``.

``requirements.lock`` pins what running needs. The other locks and the pins of each step are
resolved with it as a constraint, so a package has the same version everywhere. Versions change
only where ``pyproject.toml`` or ``pipeline/steps.py`` asks for it: to choose newer ones, delete a
lock first.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pipeline.steps import STEPS, VARIANTS

PROJECT: Final = Path(__file__).resolve().parents[1]
LOCK: Final = "requirements.lock"
DEV_LOCK: Final = "requirements-dev.lock"
ANYWHERE: Final = ("--universal", "--generate-hashes")
LINUX: Final = ("--python-platform", "x86_64-manylinux_2_28")
IMAGE: Final = (*LINUX, "--constraint", LOCK)
"""Options for what is installed in a container."""
ACCELERATED: Final = "train_cuda"
"""The pins of a training on accelerators."""


def main() -> None:
    """Writes all of them."""
    resolve(LOCK, *ANYWHERE, "pyproject.toml")
    resolve(DEV_LOCK, *ANYWHERE, "--group", "dev", "--constraint", LOCK)
    constraints = ("--constraint", LOCK, "--constraint", DEV_LOCK)
    resolve("requirements-notebook.lock", *ANYWHERE, "--group", "notebook", *constraints)
    resolve("requirements-mlflow.lock", *ANYWHERE, "--group", "mlflow", *constraints)
    resolve("requirements-uv.lock", *ANYWHERE, "--group", "uv")
    resolve("serving/requirements.lock", *IMAGE, "--generate-hashes", "--group", "serving")
    pin_wheels("serving/python310.txt", "3.10", "--group", "serving")
    packages = {step.name: step.packages for step in STEPS} | VARIANTS
    for name, own in packages.items():
        accelerated = name == ACCELERATED
        pins = f"components/requirements/{name}.txt"
        resolve(pins, *IMAGE, packages=in_container(own, accelerated=accelerated))
    every = {package for own in packages.values() for package in own}
    for lock, accelerated in (("requirements-image.lock", False), ("requirements-cuda.lock", True)):
        wanted = in_container(every, accelerated=accelerated)
        resolve(lock, *IMAGE, "--generate-hashes", packages=wanted)


def pin_wheels(target: str, python: str, *options: str) -> None:
    """Resolves to a file with the hashes of those wheels alone that a container would install.

    It travels in a command, and most packages have wheels for dozens of other platforms. Versions
    are its own, since some of the lock's need a newer Python.
    """
    options = (*LINUX, *options)
    resolve(target, *options, python=python)
    as_pinned = ("--constraint", target, "--format", "pylock.toml")
    found = resolve("", *options, *as_pinned, python=python)
    lines = []
    for package in tomllib.loads(found)["packages"]:
        hashes = sorted(
            f" --hash=sha256:{wheel['hashes']['sha256']}" for wheel in package["wheels"]
        )
        lines.append(f"{package['name']}=={package['version']}{''.join(hashes)}\n")
    (PROJECT / target).write_text("".join(lines))


def in_container(packages: Iterable[str], *, accelerated: bool) -> list[str]:
    """A step's packages, with the distribution of TensorFlow that its container needs."""
    locked = re.search(r"^tensorflow==(\S+)", (PROJECT / LOCK).read_text(), re.MULTILINE)
    version = locked[1] if locked else ""
    tensorflow = f"{'tensorflow[and-cuda]' if accelerated else 'tensorflow-cpu'}=={version}"
    return sorted(tensorflow if name == "tensorflow" else name for name in packages)


def resolve(target: str, *options: str, packages: Iterable[str] = (), python: str = "3.11") -> str:
    """Resolves packages, or what the options name, to a file of the project, or to what it returns.

    Versions that the file holds already are kept.
    """
    uv = Path(sys.executable).with_name("uv")
    command = [str(uv), "pip", "compile", "--quiet", "--no-header", "--no-annotate"]
    output = ["--output-file", target] if target else []
    source = ["-"] if packages else []
    return subprocess.run(  # noqa: S603
        [*command, "--python-version", python, *output, *options, *source],
        cwd=PROJECT,
        input="\n".join(packages),
        stdout=None if target else subprocess.PIPE,
        text=True,
        check=True,
    ).stdout


if __name__ == "__main__":
    main()
