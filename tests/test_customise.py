"""Each recipe of docs/customise.md, carried out on a copy of the project."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from components.train.trainer.hyperparameters import Hyperparameters
from pipeline.compiler import PROJECT
from tests.idx_files import FASHION, write_idx_set
from tests.small_project import Project

PAGE = (PROJECT / "docs" / "customise.md").read_text()
RECIPES = {
    title: "".join(re.findall(r"^```diff\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))
    for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
}
CODE = ("benchmarks", "compiled", "components", "notebooks", "pipeline", "scripts", "serving")
FILES = ("pyproject.toml", "requirements.lock", "requirements-dev.lock")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project without its tests and documents."""
    folder = tmp_path / "project"
    for name in CODE:
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(PROJECT / name, folder)
    return folder


def test_the_page_counts_the_files_that_each_recipe_edits() -> None:
    told = {title: int(count) for title, count in re.findall(r"\(#(.*?)\) \| (\d+) \|", PAGE)}
    counted = {
        title.lower().replace(" ", "-"): recipe.count("\n+++ ") for title, recipe in RECIPES.items()
    }
    assert told == {title: count for title, count in counted.items() if count}


def carry_out(title: str, copy: Path) -> None:
    """Applies the edits of a recipe; they are found though lines have moved."""
    subprocess.run(
        ["git", "apply", "--unidiff-zero", "-"],
        cwd=copy,
        input=RECIPES[title],
        text=True,
        check=True,
    )


def python(copy: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def compiled(copy: Path) -> dict[str, str]:
    python(copy, "-m", "pipeline", "compile")
    return {path.name: path.read_text() for path in (copy / "compiled").rglob("*.yaml")}


def history(copy: Path, *options: str) -> dict[str, object]:
    write_idx_set(copy / "raw", 30, 10)
    small = ["--train-steps", "2", "--batch-size", "32", "--filters", "16", "16"]
    files = ["--train-files", "raw/train-*", "--eval-files", "raw/t10k-*", "--job-dir", "job"]
    python(copy, "-m", "components.train.trainer.task", *files, *small, *options)
    found: dict[str, object] = json.loads((copy / "job" / "history.json").read_text())
    return found


def test_a_hyperparameter_is_offered_checked_and_takes_effect(copy: Path) -> None:
    carry_out("A hyperparameter", copy)
    assert "noise" in compiled(copy)["pipeline.yaml"]
    offered = json.loads(python(copy, "-m", "pipeline", "parameters", "--json"))
    assert "noise" in [each["name"] for each in offered]
    assert "GaussianNoise" in python(copy, "-c", LAYERS, '{"noise": 0.3}')
    assert "GaussianNoise" not in layers_here()


def test_a_layer_is_in_the_network(copy: Path) -> None:
    carry_out("A layer", copy)
    after = python(copy, "-c", LAYERS, "{}").split()
    assert after.count("Dense") == layers_here().count("Dense") + 1


def test_an_optimizer_trains(copy: Path) -> None:
    carry_out("An optimizer", copy)
    told = history(copy, "--optimizer", "adamw", "--learning-rate", "0.002")
    assert told["parameters"]["optimizer"] == "adamw"  # type: ignore[index]
    assert told["steps"] == 2


def test_a_rule_of_the_gate_refuses_a_model(copy: Path) -> None:
    carry_out("A rule of the gate", copy)
    verdict = json.loads(python(copy, "-c", GATE))
    assert verdict["outcome"] == "not passed"
    assert verdict["reason"] == "the macro F1 0.8700 is too low"
    assert "min_macro_f1" in compiled(copy)["pipeline.yaml"]


def test_a_mirror_changes_the_code_of_ingest_alone(copy: Path) -> None:
    before = compiled(copy)
    carry_out("A mirror of the data", copy)
    after = compiled(copy)
    changed = {name for name in before if before[name] != after[name]}
    whole = {path.name for path in (copy / "compiled").glob("*.yaml")}
    assert changed == {"ingest.yaml", *whole}


def test_a_package_is_pinned_with_what_it_needs(copy: Path) -> None:
    carry_out("A package", copy)
    lock(copy, "decode")
    assert "'rich==" in compiled(copy)["decode.yaml"]


def test_a_step_of_ones_own_runs_in_the_pipeline(copy: Path, tmp_path: Path) -> None:
    carry_out("A step of your own", copy)
    lock(copy, "subset")
    assert "subset.yaml" in compiled(copy)
    small = ("train_steps=2", "batch_size=32", "filters=[16, 16]", "min_accuracy=0", "share=0.5")
    options = [word for value in small for word in ("-p", value)]
    arguments = Project.at(tmp_path / "data").arguments(tmp_path / "root", "--json", *options)
    run = json.loads(python(copy, "-m", "pipeline", *arguments))
    by_name = {step["name"]: step for step in run["steps"]}
    assert list(by_name)[1:4] == ["decode", "subset", "train"]
    examples = {
        name: by_name[step]["outputs"][name]["metadata"]["examples"]
        for step, name in (("decode", "train_records"), ("subset", "kept"))
    }
    assert examples["kept"] == pytest.approx(examples["train_records"] / 2, abs=2)


def layers_here() -> list[str]:
    from components.train.trainer.model import build_model

    return [type(layer).__name__ for layer in build_model(Hyperparameters(), FASHION).layers]


def lock(copy: Path, step: str) -> None:
    """Does what ``make lock`` does for one step; skips where no package index can be reached."""
    done = subprocess.run(
        [sys.executable, "-c", LOCK, step],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    if re.search("Failed to fetch|dns error|connect", done.stderr):
        pytest.skip("the package index cannot be reached")
    assert done.returncode == 0, done.stderr


LAYERS = """
import json, sys
from components.dataset.description import Description
from components.train.trainer.hyperparameters import Hyperparameters
from components.train.trainer.model import build_model
description = Description("Own", ("A", "B"), 28, 28)
for layer in build_model(Hyperparameters.of(json.loads(sys.argv[1])), description).layers:
    print(type(layer).__name__)
"""
GATE = """
import json
from components.evaluate import gate
figures = {"examples": 1000, "correct": 905, "macro_f1": 0.87}
print(json.dumps(gate.decide(figures, None, {"min_accuracy": 0.9, "min_macro_f1": 0.9})))
"""
LOCK = """
from pipeline.steps import step
import sys
from scripts import lock
name = sys.argv[1]
packages = lock.in_container(step(name).packages, accelerated=False)
lock.resolve(f"components/requirements/{name}.txt", *lock.IMAGE, packages=packages)
"""
