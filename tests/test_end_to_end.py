"""The whole pipeline from the command line, on a small dataset that the tests make.

The runs share one root and build on each other, as a person's would: the tests look at the
registry's folder, not at logs.
"""

import json
import shutil
from pathlib import Path

import pytest

from pipeline.runs.verification import sound, verify
from tests import planted
from tests.command import fashion_mnist, states, summary, versions
from tests.project import UNTRAINED, Project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose first run has uploaded version 1."""
    project = Project(tmp_path_factory.mktemp("project"))
    done = project.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert not planted.told(done.stdout + done.stderr)
    return project


@pytest.fixture
def copy(project: Project, tmp_path: Path) -> Path:
    """The root after the first run, to be changed as a test likes; its cache still answers."""
    root = tmp_path / "root"
    shutil.copytree(project.root, root)
    return root


def test_a_model_that_passes_the_gate_is_uploaded(copy: Path) -> None:
    assert versions(copy) == ["1"]
    assert (copy / "registry" / "fashion-mnist" / "1" / "saved_model.pb").is_file()
    evaluation = json.loads((copy / "registry/fashion-mnist/1/evaluation.json").read_text())
    told = summary(copy)
    figures = evaluation["confidenceMetrics"][0]
    assert figures["recall"] == pytest.approx(told["metrics"]["accuracy"])
    assert told["state"] == "done"
    assert told["verdict"]["passed"] is True
    assert told["model"]["version"] == "1"
    assert told["metrics"]["accuracy"] >= 0.5
    page = Path(told["report"]).read_text()
    assert page.startswith("<!doctype html>")
    assert f"{told['run']} · " in page
    assert "<dd>version 1<small>of fashion-mnist, the champion now</small></dd>" in page
    assert "registry/fashion-mnist/1 model" in page


def test_the_steps_ran_in_the_order_of_the_diagram(copy: Path) -> None:
    assert states(copy) == {
        "ingest": "done",
        "decode": "done",
        "train": "done",
        "find_champion": "done",
        "evaluate": "done",
        "upload": "done",
    }


def test_what_a_run_leaves_tells_no_credentials_of_its_machine(project: Project) -> None:
    assert len(list(project.root.rglob("*"))) > 50
    assert planted.files_that_tell(project.path) == []


def test_the_version_is_as_recorded(copy: Path) -> None:
    path = copy / "registry" / "fashion-mnist" / "1"
    findings = verify(path)
    assert {finding.check for finding in findings if finding.state != "ok"} == {"data"}, findings
    assert sound(findings)
    (trained,) = copy.glob("runs/*/steps/train/model")
    assert sound(verify(trained))


def test_a_run_leaves_no_scratch(copy: Path) -> None:
    assert not list(copy.glob("runs/*/scratch"))


def test_an_unchanged_run_uploads_nothing_and_says_which_version_it_is(
    project: Project, copy: Path
) -> None:
    done = project.run(root=copy)
    assert done.returncode == 0, done.stderr
    assert versions(copy) == ["1"]
    ran = states(copy)
    assert {ran[name] for name in ("ingest", "decode", "train")} == {"cached"}
    assert "already version 1" in done.stdout
    page = Path(summary(copy)["report"]).read_text()
    assert page.count('<td class="left">from the cache</td>') == 3
    assert "<dd>version 1<small>of fashion-mnist, the champion now</small></dd>" in page
    said = f"predict --run {summary(copy)['run'][-4:]} --root {copy} PHOTO"
    assert said in done.stderr


def test_json_is_the_summary_and_progress_goes_to_standard_error(
    project: Project, copy: Path
) -> None:
    done = project.run("--json", root=copy)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == summary(copy)
    assert "Train: from the cache" in done.stderr


def test_a_different_run_becomes_the_second_version(project: Project, copy: Path) -> None:
    done = project.run("-p", "seed=1", "-p", "min_improvement=-1", root=copy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert versions(copy) == ["1", "2"]
    told = summary(copy)
    first = json.loads((copy / "registry/fashion-mnist/1/version.json").read_text())
    assert told["metrics"]["champion_accuracy"] == first["metrics"]["accuracy"]
    aliases = json.loads((copy / "registry/fashion-mnist/aliases.json").read_text())
    assert aliases["default"] == 2
    ran = states(copy)
    assert ran["ingest"] == "cached"
    assert ran["decode"] == "done"
    assert ran["model-upload"] == "done"
    assert ran["model-upload-2"] == "skipped"


def test_a_model_below_min_accuracy_leaves_the_registry_as_it_was(
    project: Project, copy: Path
) -> None:
    shutil.rmtree(copy / "registry")
    done = project.run(*UNTRAINED, root=copy)
    assert done.returncode == 0, done.stderr
    assert versions(copy) == []
    told = summary(copy)
    assert told["verdict"]["passed"] is False
    assert "<dd>none<small>not uploaded</small></dd>" in Path(told["report"]).read_text()
    assert "min_accuracy" in told["verdict"]["reason"]
    assert told["verdict"]["reason"] in done.stdout


def test_a_refused_model_is_exit_code_3_where_an_upload_is_required(
    project: Project, copy: Path
) -> None:
    shutil.rmtree(copy / "registry")
    done = project.run(*UNTRAINED, "--require-upload", root=copy)
    assert done.returncode == 3
    assert versions(copy) == []


def test_a_model_that_does_not_beat_the_champion_is_not_uploaded(
    project: Project, copy: Path
) -> None:
    done = project.run("-p", "train_steps=20", "-p", "min_improvement=0.9", root=copy)
    assert done.returncode == 0, done.stderr
    assert versions(copy) == ["1"]
    assert "min_improvement" in summary(copy)["verdict"]["reason"]


def test_a_bucket_that_was_emptied_is_filled_again_and_nothing_else_done(
    project: Project, copy: Path
) -> None:
    shutil.rmtree(copy / "bucket")
    done = project.run(root=copy)
    assert done.returncode == 0, done.stderr
    ran = states(copy)
    assert (ran["ingest"], ran["decode"], ran["train"]) == ("done", "cached", "cached")
    assert len(list((copy / "bucket").rglob("raw/*/*.gz"))) == 4


def test_what_ran_without_the_cache_is_what_the_next_run_is_answered_with(
    project: Project, copy: Path
) -> None:
    done = project.run(*UNTRAINED, "--no-cache", root=copy)
    assert done.returncode == 0, done.stderr
    anew = max(copy.glob("runs/*/steps/decode"), key=lambda path: path.stat().st_mtime)
    done = project.run(*UNTRAINED, root=copy)
    assert done.returncode == 0, done.stderr
    assert states(copy)["decode"] == "cached"
    steps = {step["name"]: step["outputs"] for step in summary(copy)["steps"]}
    assert Path(steps["decode"]["train_records"]["uri"]).parent == anew


def test_a_hyperparameter_out_of_range(project: Project, copy: Path) -> None:
    done = project.run("-p", "dropout=1.5", root=copy)
    assert done.returncode == 1
    assert "Train failed: dropout is 1.5" in done.stderr
    run = summary(copy)["run"]
    asked = fashion_mnist("report", run, "--root", str(copy), cwd=copy)
    assert asked.returncode == 1
    assert f"{run} has no evaluation: Train failed: dropout is 1.5" in asked.stderr
    assert versions(copy) == ["1"]
