"""What the report says about the run around the evaluation."""

import re
from pathlib import Path
from typing import Any

import pytest
from kfp.dsl import Artifact

from components.evaluate.report import render
from pipeline.runs import report
from pipeline.runs.record import Run, RunError
from pipeline.runs.registry import Registry
from tests import evaluations
from tests.saved_models import make_model

RUN = "fashion-mnist-20261124-234143-7fde"


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    return evaluations.evaluation(per_class=10)


def upload(root: Path, *digests: str) -> None:
    model = make_model(root / "model")
    for digest in digests:
        known = {"digests": {"model": digest}}
        Registry(root / "registry").add_version("fashion-mnist", model, known, ["default"])


def model_of(run: Run, facts: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = report.additions(run, facts)["model"]
    return found


def test_the_page_says_what_only_the_run_knows(facts: dict[str, Any], tmp_path: Path) -> None:
    upload(tmp_path, *"a" * 13)
    run = evaluations.write_run(tmp_path, RUN, facts, error="<disk> is full", state="failed")
    text = report.rebuild(run).read_text()
    assert f"{RUN} · 24 November 2026, 23:41 UTC · 4 min 11 s" in text
    assert "failed: &lt;disk&gt; is full" in text
    assert f"cp -r {tmp_path}/registry/fashion-mnist/13 model" in text
    assert "git checkout c59f468a2f672dc815687fe0f83887768d799fd8" in text
    assert "run -p epochs=3 -p &#39;filters=[16, 32, 64]&#39;</pre>" in text
    assert "[16, 32, 64] (default [32, 64, 128])" in text
    assert "4 min 02 s" in text
    assert "from the cache" in text


def test_the_model_is_where_the_registry_has_it_or_where_the_training_left_it(
    facts: dict[str, Any], tmp_path: Path
) -> None:
    uploaded = evaluations.run(tmp_path, RUN)
    gone = {"version": "13", "present": False, "aliases": [], "place": "", "tracking_uri": ""}
    gone["is_artifact"] = False
    assert model_of(uploaded, facts) == {"name": "fashion-mnist", **gone}
    upload(tmp_path, *"a" * 13)
    place = tmp_path / "registry" / "fashion-mnist" / "13"
    there = {**gone, "present": True, "aliases": ("default",), "place": str(place)}
    assert model_of(uploaded, facts) == {"name": "fashion-mnist", **there}
    refused = evaluations.run(tmp_path, RUN, version="")
    assert model_of(refused, facts)["place"] == ""
    refused.steps["train"].outputs = {"model": Artifact(uri=str(tmp_path))}
    found = model_of(refused, facts)
    assert (found["version"], found["place"]) == ("", str(tmp_path))


@pytest.mark.parametrize(
    ("tracking_uri", "resource", "said"),
    [
        ("http://mlflow:5000", "models:/fashion-mnist/3", "version 3 of fashion-mnist in MLflow"),
        ("", "", "none the model is an artifact of the run"),
    ],
)
def test_a_model_elsewhere_is_not_sought_here_and_its_run_is_repeated_there(
    facts: dict[str, Any], tmp_path: Path, tracking_uri: str, resource: str, said: str
) -> None:
    run = evaluations.run(tmp_path, RUN)
    run.parameters["tracking_uri"] = tracking_uri
    metadata = {"resourceName": resource} if resource else {}
    run.steps["upload"].outputs = {"served_model": Artifact(uri="served", metadata=metadata)}
    text = render(facts, run=report.additions(run, facts))
    assert said in " ".join(re.sub("<.*?>", " ", text).split())
    assert "no longer there" not in text
    assert "run --spec compiled/pipeline-kubeflow.yaml -p epochs=3" in text


def test_a_model_that_was_a_version_already_is_found(facts: dict[str, Any], tmp_path: Path) -> None:
    upload(tmp_path, "0" * 64, facts["model_digest"], "1" * 64)
    refused = evaluations.run(tmp_path, RUN, version="")
    assert model_of(refused, facts)["version"] == "2"
    same = evaluations.beaten(facts, "3")
    same["champion"]["same"] = True
    assert model_of(refused, same)["version"] == "3"


def test_an_evaluation_of_an_earlier_version_is_an_error_that_says_so(tmp_path: Path) -> None:
    run = evaluations.write_run(tmp_path, RUN, {"accuracy": 0.9})
    with pytest.raises(RunError, match="earlier version of the step; run again"):
        report.rebuild(run)
