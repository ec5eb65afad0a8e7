import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline import compiler
from pipeline.errors import CommandError, UsageError
from pipeline.specs import spec as specs
from tests import planted

PROJECT = compiler.PROJECT
ELSEWHERE = {"USER": "somebody", "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8"}
ELSEWHERE |= planted.ENVIRONMENT
"""Another person's environment, on another side of the world."""
SOURCES = ("pipeline", "components", "serving", "compiled", "pyproject.toml")


@pytest.fixture(scope="module")
def built() -> dict[str, str]:
    return compiler.build()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the source in another folder, with other times and modes."""
    target = tmp_path / "elsewhere" / "clone"
    for name in SOURCES:
        source = PROJECT / name
        ignore = shutil.ignore_patterns("__pycache__")
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=ignore, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(source, target / name)
    for index, path in enumerate(sorted(target.rglob("*"), reverse=True)):
        os.utime(path, (index, index))
        path.chmod(0o700)
    return target


def compile_in(clone: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "compile", *arguments],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone), "HOME": str(clone), **ELSEWHERE},
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_committed_files_are_what_the_source_compiles_to(built: dict[str, str]) -> None:
    assert {compiler.COMPILED / name for name in built} == {*compiler.COMPILED.rglob("*.yaml")}
    compiler.check()


def test_another_checkout_compiles_to_the_same_bytes(clone: Path, built: dict[str, str]) -> None:
    (clone / "components" / "decode" / "__pycache__").mkdir()
    (clone / "components" / "decode" / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"x")
    shutil.rmtree(clone / "compiled")
    done = compile_in(clone)
    assert done.returncode == 0, done.stderr
    for name, text in built.items():
        assert (clone / "compiled" / name).read_text() == text, name


def test_a_change_is_compared_again_and_the_same_source_is_not(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    monkeypatch.setattr(compiler, "PROJECT", clone)
    passed = tmp_path / "root" / "compiled.sha256"

    def comparisons() -> int:
        compiler.check_changed(passed, lambda: compared.append(1))
        return len(compared)

    assert [comparisons(), comparisons()] == [1, 1]
    for number, name in enumerate(
        (
            "components/evaluate/report.css",
            "pipeline/steps.py",
            "serving/model.py",
            "compiled/pipeline.yaml",
        ),
        2,
    ):
        with (clone / name).open("a") as file:
            file.write("\n")
        assert [comparisons(), comparisons()] == [number, number], name
    (clone / "components" / "new.py").touch()
    for _ in range(2):
        with pytest.raises(pytest.fail.Exception):
            compiler.check_changed(passed, lambda: pytest.fail("stale"))


def test_stale_missing_and_left_over_files_are_an_error_with_a_short_diff(
    tmp_path: Path, built: dict[str, str]
) -> None:
    for name, text in built.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    compiler.check(tmp_path)
    pipeline = specs.load(tmp_path / "pipeline.yaml")
    pipeline["root"]["dag"]["tasks"]["train"]["taskInfo"]["name"] = "Learn"
    (tmp_path / "pipeline.yaml").write_text(yaml.safe_dump(pipeline))
    (tmp_path / "components" / "decode.yaml").unlink()
    (tmp_path / "components" / "gone.yaml").write_text("{}\n")
    with pytest.raises(UsageError, match="compiled/ is stale: run `make compile`") as caught:
        compiler.check(tmp_path)
    said = str(caught.value)
    assert "-root.dag.tasks.train.taskInfo.name: Learn\n" in said
    assert "+root.dag.tasks.train.taskInfo.name: Train\n" in said
    assert "components/decode.yaml: missing" in said
    assert "components/gone.yaml: no source compiles to it" in said
    assert "ingest.yaml" not in said


def test_an_image_replaces_the_pins_of_every_python_step(tmp_path: Path) -> None:
    image = "europe-docker.pkg.dev/project/repository/image@sha256:" + "0" * 64
    compiler.write(tmp_path, image)
    executors = specs.load(tmp_path / "pipeline.yaml")["deploymentSpec"]["executors"]
    images = {label: executor["container"]["image"] for label, executor in executors.items()}
    google = {label for label in images if label.startswith("exec-model-")}
    assert len(google) == 4
    assert {label for label, used in images.items() if used == image} == set(images) - google
    assert "pip install" not in (tmp_path / "pipeline.yaml").read_text()


def test_an_argument_that_linux_would_refuse_is_refused() -> None:
    command = ["sh", "-ec", "x" * (compiler.ARGUMENT_BYTES + 1)]
    spec = {"deploymentSpec": {"executors": {"exec-train": {"container": {"command": command}}}}}
    with pytest.raises(CommandError, match="exec-train: its embedded code takes 131,072 bytes"):
        compiler.check_sizes(spec)


def test_only_steps_that_may_be_repeated_are_cached_or_retried() -> None:
    spec = specs.load(compiler.COMPILED / compiler.PIPELINE)
    dags = [each["dag"] for each in (spec["root"], *spec["components"].values()) if "dag" in each]
    tasks = {name: task for dag in dags for name, task in dag["tasks"].items()}
    cached = {name for name in tasks if tasks[name].get("cachingOptions", {}).get("enableCache")}
    assert {"ingest", "decode", "train", "evaluate"} <= cached
    assert not {"find-champion", "package-model"} & cached
    assert not {name for name in cached if name.startswith("model-")}
    assert {name for name in tasks if "retryPolicy" in tasks[name]} == {
        "ingest",
        "find-champion",
        "model-evaluation-import",
        "model-evaluation-import-2",
    }


def test_a_task_of_no_step_does_not_compile() -> None:
    spec = specs.load(compiler.COMPILED / compiler.PIPELINE)
    tasks = {"extra": {"componentRef": {"name": "comp-extra"}, "taskInfo": {"name": "Extra"}}}
    with_extra = {
        **spec,
        "root": {"dag": {"tasks": spec["root"]["dag"]["tasks"] | tasks}},
        "components": spec["components"] | {"comp-extra": {"executorLabel": "exec-extra"}},
    }
    with_extra["deploymentSpec"]["executors"]["exec-extra"] = {}
    with pytest.raises(CommandError, match=r"the task extra is not in pipeline/steps\.py"):
        compiler.check_steps(with_extra)
