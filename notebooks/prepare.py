"""Makes the interpreter of a notebook able to run the pipeline: installs what is missing.

The versions are those of requirements.lock. Of the lock's packages only those are installed that
the pipeline needs, so that a notebook's server keeps its own.
"""

import importlib
import importlib.metadata
import importlib.util
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


class RestartNeeded(Exception):
    """Packages were replaced that the running interpreter has loaded."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def main() -> None:
    """Installs what is missing, and lets this interpreter find the project."""
    before = versions()
    if wanted := missing():
        print(f"installing {', '.join(wanted)} and what they need (some minutes)")
        install()
        importlib.invalidate_caches()
    if not found():
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
    """Packages that the project names and that are not there in their pinned version."""
    # A package can have several pins, each for some versions of Python.
    pins = {(match[1], match[2]) for match in PINNED.finditer(lock())}
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    named = [Requirement(line) for line in project["dependencies"]]
    names = [each.name for each in named if each.marker is None or each.marker.evaluate()]
    wanted = [name for name in names if (name, version(name)) not in pins]
    return wanted if version(project["name"]) else [*wanted, project["name"]]


def versions() -> dict[str, str | None]:
    """The installed version of each package that the lock names."""
    return {match[1]: version(match[1]) for match in PINNED.finditer(lock())}


def loaded_before(before: dict[str, str | None]) -> list[str]:
    """Packages that have another version than before, and are loaded in that one."""
    replaced = {name for name, now in versions().items() if before[name] not in (None, now)}
    modules = importlib.metadata.packages_distributions()
    loaded = {package for name in sys.modules.keys() & modules for package in modules[name]}
    return sorted(replaced & {re.sub("[-_.]+", "-", name).lower() for name in loaded})


def version(name: str) -> str | None:
    """The version of a package that is installed; None where there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def found() -> bool:
    """Whether ``import pipeline`` gives this checkout's."""
    spec = importlib.util.find_spec("pipeline")
    return spec is not None and Path(spec.origin or "").is_relative_to(PROJECT)


def install() -> None:
    """Installs the project with its dependencies, all in their pinned versions."""
    pins = "\n".join(match[0].strip() for match in PINNED.finditer(lock()))
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


def lock() -> str:
    """The text of the lock."""
    return (PROJECT / "requirements.lock").read_text()


if __name__ == "__main__":
    main()
