import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from kfp.dsl import HTML, Artifact

from pipeline.runs import report
from pipeline.runs.record import Run, RunError
from pipeline.runs.registry import Registry
from tests import evaluations

RUN = "fashion-mnist-20261124-234143-7fde"


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    return evaluations.evaluation(per_class=10)


def upload(root: Path, model: Path) -> None:
    model.mkdir()
    (model / "saved_model.pb").write_bytes(b"a model")
    for _ in range(13):
        Registry(root / "registry").add_version("fashion-mnist", model, {}, ["default"])


def test_the_page_says_what_only_the_run_knows(facts: dict[str, Any], tmp_path: Path) -> None:
    upload(tmp_path, tmp_path / "model")
    text = report.rebuild(evaluations.write_run(tmp_path, RUN, facts)).read_text()
    assert f"{RUN} · 24 November 2026, 23:41 UTC · 4 min 11 s" in text
    assert "<dd>version 13<small>of fashion-mnist, the champion now</small></dd>" in text
    assert f"cp -r {tmp_path}/registry/fashion-mnist/13 model" in text
    assert "git checkout c59f468a2f672dc815687fe0f83887768d799fd8" in text
    assert "run -p epochs=3 -p &#39;filters=[16, 32, 64]&#39;</pre>" in text
    assert "<td>[16, 32, 64] (default [32, 64, 128])</td>" in text
    assert text.count(evaluations.DIGEST) > 3
    assert "4 min 02 s" in text
    assert '<td class="left">from the cache</td>' in text


def test_the_longest_step_has_the_longest_bar(facts: dict[str, Any], tmp_path: Path) -> None:
    text = report.rebuild(evaluations.write_run(tmp_path, RUN, facts)).read_text()
    (steps,) = text.split('<table class="steps">')[1:]
    assert [part[:4] for part in steps.split("--share:")[1:]] == [
        "0.0%",
        "0.4%",
        "100.",
        "1.7%",
        "0.5%",
    ]


def test_a_version_that_was_removed_is_said_to_be_gone(
    facts: dict[str, Any], tmp_path: Path
) -> None:
    text = report.rebuild(evaluations.write_run(tmp_path, RUN, facts)).read_text()
    assert "of fashion-mnist, no longer there" in text
    assert "cp -r" not in text


def test_a_model_that_was_not_uploaded_is_where_the_training_left_it(
    facts: dict[str, Any], tmp_path: Path
) -> None:
    trained = tmp_path / "runs" / RUN / "steps" / "train" / "model"
    run = evaluations.write_run(tmp_path, RUN, facts, version="")
    run.steps["train"].outputs = {"model": Artifact(uri=str(trained))}
    trained.mkdir(parents=True)
    text = report.rebuild(run).read_text()
    assert "<dd>none<small>not uploaded</small></dd>" in text
    assert f"cp -r {trained} model" in text


def test_a_model_that_another_run_uploaded_is_found_by_its_digest(
    facts: dict[str, Any], tmp_path: Path
) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "saved_model.pb").write_bytes(b"a model")
    registry = Registry(tmp_path / "registry")
    for digest in ("0" * 64, facts["model_digest"]):
        registry.add_version("fashion-mnist", model, {"digests": {"model": digest}}, ["default"])
    text = report.rebuild(evaluations.write_run(tmp_path, RUN, facts, version="")).read_text()
    assert "<dd>version 2<small>of fashion-mnist, the champion now</small></dd>" in text
    assert "It was not uploaded" not in text


def test_a_run_that_neither_trained_nor_uploaded_promises_no_copy(
    facts: dict[str, Any], tmp_path: Path
) -> None:
    text = report.rebuild(evaluations.write_run(tmp_path, RUN, facts, version="")).read_text()
    assert "<p>It was not uploaded.</p>" in text


def test_a_model_that_is_the_champion_has_the_champions_place(
    facts: dict[str, Any], tmp_path: Path
) -> None:
    upload(tmp_path, tmp_path / "model")
    same = evaluations.beaten(facts)
    same["champion"]["same"] = True
    text = report.rebuild(evaluations.write_run(tmp_path, RUN, same, version="")).read_text()
    assert "<dd>version 12<small>of fashion-mnist</small></dd>" in text
    assert f"cp -r {tmp_path}/registry/fashion-mnist/12 model" in text


def test_a_run_that_failed_after_its_evaluation_has_a_page_that_says_so(
    facts: dict[str, Any], tmp_path: Path
) -> None:
    changes = {"state": "failed", "error": "Upload failed: <disk> is full"}
    text = report.rebuild(evaluations.write_run(tmp_path, RUN, facts, **changes)).read_text()
    assert "<td>failed: Upload failed: &lt;disk&gt; is full</td>" in text


def test_the_page_can_be_written_elsewhere_and_made_of_a_copied_folder(
    facts: dict[str, Any], tmp_path: Path
) -> None:
    run = evaluations.write_run(tmp_path, RUN, facts)
    copy = shutil.copytree(run.directory, tmp_path / "elsewhere" / RUN)
    output = tmp_path / "page.html"
    assert report.rebuild(Run.read(copy), output) == output
    assert RUN in output.read_text()
    assert not (copy / "report.html").exists()


def test_an_evaluation_of_an_earlier_version_is_an_error_that_says_so(tmp_path: Path) -> None:
    run = evaluations.write_run(tmp_path, RUN, {"accuracy": 0.9})
    with pytest.raises(RunError, match="earlier version of the step; run again"):
        report.rebuild(run)


class TestTheEndOfARun:
    def artifacts(self, tmp_path: Path, facts: dict[str, Any]) -> dict[str, Artifact]:
        (tmp_path / "evaluation").write_text(json.dumps(facts))
        (tmp_path / "report").write_text("the step's own page")
        evaluation = Artifact(uri=str(tmp_path / "evaluation"))
        return {"evaluation": evaluation, "report": HTML(uri=str(tmp_path / "report"))}

    def test_leaves_the_page_that_the_command_would_make(
        self, facts: dict[str, Any], tmp_path: Path
    ) -> None:
        run = evaluations.write_run(tmp_path, RUN)
        run.steps["evaluate"].outputs |= self.artifacts(tmp_path, facts)
        report.publish(run)
        page = (run.directory / "report.html").read_text()
        assert report.rebuild(run).read_text() == page
        assert RUN in page

    def test_leaves_the_steps_own_page_where_the_step_is_of_an_earlier_version(
        self, tmp_path: Path
    ) -> None:
        run = evaluations.write_run(tmp_path, RUN)
        run.steps["evaluate"].outputs |= self.artifacts(tmp_path, {"accuracy": 0.9})
        report.publish(run)
        assert (run.directory / "report.html").read_text() == "the step's own page"

    def test_leaves_nothing_where_there_is_no_evaluation(self, tmp_path: Path) -> None:
        run = evaluations.write_run(tmp_path, RUN)
        run.steps["evaluate"].outputs = {}
        report.publish(run)
        assert [path.name for path in run.directory.iterdir()] == ["summary.json"]
