"""The images' Dockerfiles: what they install, and that nothing else is needed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from components.embedding import BASE_IMAGE
from pipeline.compiler import PROJECT


def lines(dockerfile: Path, command: str) -> list[str]:
    text = dockerfile.read_text().replace("\\\n", " ")
    return [line.removeprefix(f"{command} ") for line in text.splitlines()
            if line.startswith(f"{command} ")]  # fmt: skip


@pytest.mark.parametrize("name", ["Dockerfile", "serving/Dockerfile"])
def test_every_file_that_an_image_copies_is_sent_to_the_builder(name: str) -> None:
    ignore = (PROJECT / ".dockerignore").read_text().splitlines()
    sent = [pattern.removeprefix("!") for pattern in ignore if pattern.startswith("!")]
    for line in lines(PROJECT / name, "COPY"):
        if not line.startswith("--from"):
            for source in line.split()[:-1]:
                assert (PROJECT / source).exists(), source
                assert any(Path(source, "x.py").match(p) or Path(source).is_relative_to(p)
                           for p in sent), source  # fmt: skip


def test_the_image_is_the_steps_own_with_their_packages() -> None:
    bases = lines(PROJECT / "Dockerfile", "FROM")
    assert bases == [f"{BASE_IMAGE} AS accelerators", f"{BASE_IMAGE} AS steps"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the image has Python 3.11")
def test_the_install_line_of_the_image_makes_an_environment_that_is_whole(tmp_path: Path) -> None:
    python = fresh_environment(tmp_path / "venv")
    install("Dockerfile", python)
    imports = "tensorflow, keras, kfp, jinja2, PIL, google.cloud.aiplatform"
    subprocess.run([python, "-c", f"import {imports}"], check=True)


def fresh_environment(folder: Path, python: str = sys.executable) -> str:
    """The interpreter of a new environment with nothing but pip."""
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    return str(folder / "bin" / "python")


def install(dockerfile: str, python: str) -> None:
    """Runs an image's install line with an interpreter; skips the test without an index."""
    *_, line = [each for each in lines(PROJECT / dockerfile, "RUN") if "pip install" in each]
    *command, lock = line.split()[1:]
    copied = [word for each in lines(PROJECT / dockerfile, "COPY") for word in each.split()]
    source = next(word for word in copied if Path(word).name == Path(lock).name)
    done = subprocess.run(
        [python, *command, str(PROJECT / source)], capture_output=True, text=True, check=False
    )
    if re.search("ConnectionError", done.stderr):
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr
    subprocess.run([python, "-m", "pip", "check"], check=True)
