"""Prepares a notebook's interpreter to run the pipeline: installs what is missing.

The versions are those in requirements.lock. Only packages that the pipeline needs are installed.
"""

import importlib.metadata
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

# Whatever can install packages has it.
from pip._vendor.packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parent.parent
PINNED = re.compile(r"^([a-z0-9._-]+)==([^\s;\\]+)( ;[^\\]*)?", re.MULTILINE)
LOCK = (PROJECT / "requirements.lock").read_text()


class RestartNeeded(Exception):
    """The running interpreter has loaded packages that were replaced."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def main() -> None:
    """Installs what is missing, and lets this interpreter find the project."""
    before = versions()
    if wanted := missing():
        print(f"installing {', '.join(wanted)} and what they need (some minutes)")
        install()
        importlib.invalidate_caches()
    # A package that was installed after the interpreter's start is not on its path yet.
    sys.path.insert(0, str(PROJECT))
    if wanted and (loaded := loaded_before(before)):
        raise RestartNeeded(
            f"{', '.join(loaded)} had been loaded before the right version was installed: restart "
            "the session (Kernel > Restart Kernel, in Colab Runtime > Restart session), then run "
            "all cells again"
        )
    print(f"ready: {PROJECT}")


def missing() -> list[str]:
    """Packages that the project names and that are not installed in a pinned version."""
    # A package can have several pins, each for some versions of Python.
    pins = {(match[1], match[2]) for match in PINNED.finditer(LOCK)}
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    named = [Requirement(line) for line in project["dependencies"]]
    names = [each.name for each in named if each.marker is None or each.marker.evaluate()]
    wanted = [name for name in names if (name, version(name)) not in pins]
    return wanted if version(project["name"]) else [*wanted, project["name"]]


def versions() -> dict[str, str | None]:
    """The installed version of each package in the lock."""
    return {match[1]: version(match[1]) for match in PINNED.finditer(LOCK)}


def loaded_before(before: dict[str, str | None]) -> list[str]:
    """Packages that are loaded in a version that has since been replaced."""
    replaced = {name for name, now in versions().items() if before[name] not in (None, now)}
    modules = importlib.metadata.packages_distributions()
    # Every interpreter loads setuptools' _distutils_hack at its start.
    names = {name for name in sys.modules.keys() & modules if not name.startswith("_")}
    loaded = {package for name in names for package in modules[name]}
    return sorted(replaced & {re.sub("[-_.]+", "-", name).lower() for name in loaded})


def version(name: str) -> str | None:
    """The installed version of a package; None if it is not installed."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def install() -> None:
    """Installs the project with its dependencies in their pinned versions."""
    pins = "\n".join(match[0].strip() for match in PINNED.finditer(LOCK))
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write(pins)
        constraints.flush()
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        if "tensorflow-cpu" in missing():
            # Both distributions write the same folder.
            subprocess.run([*pip, "uninstall", "--yes", "tensorflow"], check=False)
        command = [*pip, "install", "--constraint", constraints.name, "--editable", str(PROJECT)]
        if subprocess.run(command, check=False).returncode:
            raise SystemExit(
                "the packages could not be installed into this notebook's Python; "
                "`make notebook` starts JupyterLab with one that has them"
            )


if __name__ == "__main__":
    main()
