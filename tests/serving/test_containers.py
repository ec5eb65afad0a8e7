"""The two containers: what their commands do in environments like theirs."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components.upload.containers import STOCK, container_spec
from pipeline.compiler import PROJECT
from tests.test_images import fresh_environment, install, lines

from .conftest import free_port, serving
from .test_server import classes, photo, pixels

DOCKERFILE = "serving/Dockerfile"
PIP = """
import os, pathlib, sys, urllib.request, numpy
options = dict(zip(sys.argv, sys.argv[1:]))
try:
    urllib.request.urlopen(f"http://127.0.0.1:{os.environ['AIP_HTTP_PORT']}/health")
except urllib.error.HTTPError as error:
    print("while pip runs:", error.code, flush=True)
assert {"--require-hashes", "--no-deps", "--no-compile"} <= set(sys.argv), sys.argv
assert "tensorflow-cpu==2.21.0 --hash=sha256:" in open(options["--requirement"]).read()
for entry in pathlib.Path(numpy.__file__).parents[1].iterdir():
    pathlib.Path(options["--target"], entry.name).symlink_to(entry)
"""
"""Stands in for pip: "installs" the packages of this environment."""


def copied(root: Path) -> Path:
    """What the Dockerfile copies, where it does."""
    for line in lines(PROJECT / DOCKERFILE, "COPY"):
        source, target = line.split()
        place = root / target / (Path(source).name if target.endswith("/") else "")
        place.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (PROJECT / source).is_dir() else shutil.copy
        copy(PROJECT / source, place)
    return root


def as_image(python: str, root: Path) -> dict[str, Any]:
    """How the server starts in the image that the Dockerfile builds."""
    assert lines(PROJECT / DOCKERFILE, "ENTRYPOINT") == ['["python", "-m", "serving"]']
    assert lines(PROJECT / DOCKERFILE, "ENV") == ["SERVING_HOST=0.0.0.0"]
    environment = {"SERVING_HOST": "0.0.0.0"}
    command = [python, "-m", "serving"]
    return {"command": command, "cwd": copied(root), "environment": environment}


def as_stock_image(python: str, **environment: str) -> dict[str, Any]:
    """How the server starts in an image of Google's, by the model's containerSpec."""
    spec = container_spec(STOCK)
    command = [*spec["command"], *spec["args"]]
    assert command[0] == "python3"
    return {
        "command": [python, *command[1:]],
        "cwd": Path("/"),
        "environment": {"AIP_HTTP_PORT": str(free_port()), "HOME": "", **environment},
    }


def test_the_server_runs_on_what_the_dockerfile_copies(classifier: Path, tmp_path: Path) -> None:
    with serving(tmp_path, classifier, **as_image(sys.executable, tmp_path / "image")) as server:
        server.wait_until_ready()
        assert classes(server.ask({"instances": [photo(1)]})) == [1]


def test_a_container_spec_installs_the_server_and_starts_it(
    classifier: Path, tmp_path: Path
) -> None:
    pip = tmp_path / "image" / "pip" / "__main__.py"
    pip.parent.mkdir(parents=True)
    pip.write_text(PIP)
    pip.with_name("__init__.py").touch()
    options = as_stock_image(sys.executable, PYTHONPATH=str(tmp_path / "image"))
    with serving(tmp_path, classifier, **options) as server:
        server.wait_until_ready()
        assert "while pip runs: 503" in server.log.read_text()
        assert classes(server.ask({"instances": [photo(1)]})) == [1]
        assert server.stop() == 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_stock_image_serves_with_the_pinned_packages_and_none_of_its_own(
    classifier: Path, tmp_path: Path
) -> None:
    assert ".py310:" in STOCK
    python = fresh_environment(tmp_path / "image", python_of("3.10"))
    (site,) = Path(tmp_path / "image").glob("lib/*/site-packages")
    for name in ("tensorflow", "numpy", "fastapi"):
        (site / f"{name}.py").write_text("raise ImportError('a package of the image')")
    with serving(tmp_path, classifier, **as_stock_image(python)) as server:
        server.wait_until_ready()
        assert classes(server.ask({"instances": [photo(1)]})) == [1]
        assert classes(server.ask({"instances": [pixels(1)]})) == [1]
        assert server.stop() == 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the image has Python 3.11")
def test_the_dockerfiles_lines_make_a_server(classifier: Path, tmp_path: Path) -> None:
    python = fresh_environment(tmp_path / "venv")
    install(DOCKERFILE, python)
    with serving(tmp_path, classifier, **as_image(python, tmp_path / "image")) as server:
        server.wait_until_ready()
        assert classes(server.ask({"instances": [photo(1)]})) == [1]


def python_of(version: str) -> str:
    """An interpreter of a version; skips the test where there is none."""
    pyenv = (Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python")
    for python in (*map(str, pyenv), shutil.which(f"python{version}")):
        if (
            python
            and not subprocess.run([python, "-c", "import ensurepip"], check=False).returncode
        ):
            return python
    pytest.skip(f"there is no Python {version} that makes environments")
