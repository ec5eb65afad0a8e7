"""The whole pipeline on a small data set: what the first run leaves, and what later ones add."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from pipeline.local.run import Options
from pipeline.runs.registry import Registry
from pipeline.runs.verification import sound, verify
from tests import planted
from tests.command import here, versions
from tests.light_steps import light_spec
from tests.small_project import FirstRun, Project, states

STEPS = ("ingest", "decode", "train", "find_champion", "evaluate", "upload")
VERSION = Path("registry/fashion-mnist/1")


@pytest.fixture
def root(light: Project, tmp_path: Path) -> Path:
    """The root after a first light run, to be changed as a test likes."""
    return Path(shutil.copytree(light.undisturbed, tmp_path / "root"))


def test_a_model_that_passes_the_gate_is_uploaded(first_run: FirstRun) -> None:
    run = first_run.run
    assert states(run) == dict.fromkeys(STEPS, "done")
    assert run.passed is True
    assert run.accuracy is not None
    assert run.accuracy >= 0.5
    assert run.version == "1"
    assert versions(first_run.root) == ["1"]
    assert (first_run.root / VERSION / "saved_model.pb").is_file()
    evaluation = json.loads((first_run.root / VERSION / "evaluation.json").read_text())
    assert evaluation["confidenceMetrics"][0]["recall"] == pytest.approx(run.accuracy)
    assert run.report
    page = run.report.read_text()
    assert page.startswith("<!doctype html>")
    assert run.id in page
    assert not list(first_run.root.glob("runs/*/scratch"))


def test_its_steps_are_shown_while_it_lasts_and_its_result_after(first_run: FirstRun) -> None:
    assert first_run.said.index("Ingest: started") < first_run.said.index("Train: started")
    assert "train | epoch 1/4" in first_run.said
    assert "executor_input" not in first_run.said
    assert "Upload: done in" in first_run.said
    assert "Model      fashion-mnist version 1" in first_run.said


def test_what_a_run_leaves_has_no_credentials_of_its_machine(first_run: FirstRun) -> None:
    assert len(list(first_run.root.rglob("*"))) > 50
    assert planted.files_that_tell(first_run.root) == []
    assert not planted.told(first_run.said)


def test_the_version_is_as_recorded(first_run: FirstRun) -> None:
    findings = verify(first_run.root / VERSION)
    assert {finding.check for finding in findings if finding.state != "ok"} == {"data"}, findings
    assert sound(findings)
    (trained,) = first_run.root.glob("runs/*/steps/train/model")
    assert sound(verify(trained))


def test_an_unchanged_run_uploads_nothing_and_says_which_version_it_is(
    light: Project, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "light.yaml").write_text(yaml.safe_dump(light_spec()))
    arguments = light.arguments(root, "--spec", str(tmp_path / "light.yaml"))
    done = here(*arguments, "--json", "--require-upload")
    assert done.returncode == 3, done.stderr
    told = json.loads(done.stdout)
    (summary,) = root.glob(f"runs/{told['run']}/summary.json")
    assert json.loads(summary.read_text()) == told
    assert versions(root) == ["1"]
    assert {step["state"] for step in told["steps"][:3]} == {"cached"}
    assert "already version 1" in told["verdict"]["reason"]
    assert "Train: from the cache" in done.stderr


def test_another_model_becomes_the_second_version_unless_it_is_refused(
    light: Project, root: Path
) -> None:
    run = light.run_light(root, "seed=1", "min_improvement=0.9")
    assert "min_improvement" in run.reason
    assert states(run)["upload"] == "skipped"
    assert versions(root) == ["1"]
    run = light.run_light(root, "seed=1", "min_improvement=-1")
    first = json.loads((root / VERSION / "version.json").read_text())
    assert run.metrics["champion_accuracy"] == first["metrics"]["accuracy"]
    assert Registry(root / "registry").resolve("fashion-mnist", "default").number == 2
    assert (states(run)["train"], states(run)["upload"]) == ("cached", "done")


def test_what_ran_without_the_cache_is_what_the_next_run_is_answered_with(
    light: Project, root: Path
) -> None:
    uncached = light.run_light(root, options=Options(use_cache=False))
    run = light.run_light(root)
    assert {states(uncached)[step] for step in STEPS[:3]} == {"done"}
    assert {states(run)[step] for step in STEPS[:3]} == {"cached"}
    made = Path(run["decode"]["train_records"].uri)
    assert made.is_relative_to(uncached.directory)
