"""Steps that are run again by themselves, on a small dataset."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import StepFailed, UsageError
from pipeline.notebook import Artifact, ArtifactError, NoRunError, PastRun, read_raw, read_split
from pipeline.notebook.running import rerun, run_pipeline


def test_a_step_runs_by_itself_on_the_outputs_of_an_earlier_run(
    empty: PastRun, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    landed = rerun(empty, "ingest")
    assert landed["ingest"]["raw"].uri.startswith("gs://fashion-mnist-local/raw/")
    decoded = rerun(landed, "decode", shards=3)
    assert len(list(decoded.artifact("train_records").path.glob("*.tfrecord"))) == 3
    assert decoded.parameters["shards"] == 3
    assert landed.parameters["shards"] == 2
    assert set(decoded.steps) == {"ingest", "decode"}
    told = capsys.readouterr().out
    assert "Decode: started\n" in told
    assert "Decode: done in" in told
    assert "80 + 20 + 40 records" in told
    images, labels = read_raw(decoded.artifact("raw"), "test")
    read_back, labels_back = read_split(decoded.artifact("test_records"))
    assert (images == read_back).all()
    assert (labels == labels_back).all()
    # Its folder is that of any run, and nothing was put into the cache.
    summary = json.loads((root / "runs" / decoded.id / "summary.json").read_text())
    assert summary["state"] == "done"
    assert summary["earlier"] == landed.id
    assert [step["name"] for step in summary["steps"]] == ["decode"]
    assert not (root / "cache").exists()


def test_a_step_can_read_an_artifact_of_ones_choice(empty: PastRun, tmp_path: Path) -> None:
    decoded = rerun(empty, "decode", raw=tmp_path / "source")
    assert decoded.artifact("test_records").metadata["examples"] == 40


def test_no_champion_is_what_an_empty_registry_has(empty: PastRun) -> None:
    found = rerun(empty, "find_champion", model_name="fashion-mnist", champion_alias="default")
    assert found["find_champion"]["Output"] is False


def test_a_step_that_fails_says_why_in_a_line(empty: PastRun, root: Path) -> None:
    landed = rerun(empty, "ingest")
    with pytest.raises(StepFailed, match=r"Decode failed: .*validation_examples"):
        rerun(landed, "decode", validation_examples=5000)
    newest = max((root / "runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert json.loads((newest / "summary.json").read_text())["state"] == "failed"


class TestWrongUse:
    def test_an_unknown_step(self, empty: PastRun) -> None:
        with pytest.raises(UsageError, match="the steps are ingest, decode, train, find_champion"):
            rerun(empty, "trian")

    def test_an_unknown_parameter(self, empty: PastRun) -> None:
        with pytest.raises(UsageError, match="train has no parameter 'learnrate'; did you mean l"):
            rerun(empty, "train", learnrate=0.1)

    def test_a_value_of_another_type(self, empty: PastRun) -> None:
        with pytest.raises(UsageError, match="epochs='three': epochs takes a whole number"):
            rerun(empty, "train", epochs="three")

    def test_an_output_that_the_earlier_run_does_not_have(self, empty: PastRun) -> None:
        with pytest.raises(NoRunError, match=r"train reads 'train_records'.*rerun\(run, 'decode'"):
            rerun(empty, "train")

    def test_a_parameter_that_no_run_has_and_that_must_be_given(self, empty: PastRun) -> None:
        with pytest.raises(UsageError, match="find_champion needs a value for 'champion_alias'"):
            rerun(empty, "find_champion")

    def test_an_artifact_that_is_gone(self, empty: PastRun, tmp_path: Path) -> None:
        with pytest.raises(ArtifactError, match=r"gone is gone"):
            rerun(empty, "decode", raw=tmp_path / "gone")

    def test_a_model_that_the_gate_refused(self, empty: PastRun, root: Path) -> None:
        file = str(root.parent / "source")
        evaluated = {"Output": False, "evaluation": Artifact(file, {"reason": "Not passed: x."})}
        steps: dict[str, dict[str, Any]] = {
            "train": {"model": Artifact(file)},
            "find_champion": {"parent": Artifact(""), "Output": False},
            "evaluate": evaluated,
        }
        names = {"model_name": "m", "serving_image": "i", "git_revision": ""}
        run = PastRun("run", {**empty.parameters, **names}, steps, root)
        with pytest.raises(NoRunError, match=r"refused this model: Not passed: x.*min_improveme"):
            rerun(run, "upload")

    def test_a_parameter_that_the_pipeline_does_not_have(self) -> None:
        with pytest.raises(UsageError, match="the pipeline has no parameter 'epoch'; did you me"):
            run_pipeline(epoch=1)

    def test_a_preset_that_is_not_there(self) -> None:
        with pytest.raises(UsageError, match="fast"):
            run_pipeline("quick")
