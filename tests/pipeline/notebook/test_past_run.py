import shlex
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.local import run as local
from pipeline.notebook import NoRunError, PastRun, last_run, load_run
from pipeline.specs import parameters
from pipeline.specs import spec as specs
from tests.pipeline.notebook.conftest import Summarize, change, stored


def test_without_a_run_the_error_says_how_to_make_one(root: Path) -> None:
    with pytest.raises(NoRunError, match=r'last_run\(or_start="fast"\).*`make run`') as told:
        last_run()
    assert str(root) in str(told.value)


def test_the_newest_whole_run_that_ended_well_is_taken(summarize: Summarize) -> None:
    summarize("first")
    summarize("second")
    change(summarize("part"), earlier="second")
    change(summarize("broken"), state="failed")
    assert last_run().id == "second"


def test_another_root_can_be_given(summarize: Summarize, root: Path, tmp_path: Path) -> None:
    summarize("first")
    with pytest.raises(NoRunError):
        last_run(root=tmp_path / "elsewhere")
    assert last_run(root=root).id == "first"


def test_outputs_are_found_by_step_and_by_name(summarize: Summarize, tmp_path: Path) -> None:
    model = stored(tmp_path, digest="d")
    summarize("first", train={"model": model}, evaluate={"Output": True})
    run = last_run()
    assert run["train"]["model"] == run.artifact("model")
    assert run.artifact("model").metadata == {"digest": "d"}
    assert run.artifact("model").path == tmp_path
    assert run["evaluate"]["Output"] is True


def test_the_tasks_of_the_upload_are_one_step(summarize: Summarize) -> None:
    name = "projects/local/locations/local/models/fashion-mnist@1"
    model = stored("somewhere", resourceName=name)
    summarize("first", package_model={"aliases": ["default"]}, model_upload_2={"model": model})
    assert set(last_run()["upload"]) == {"aliases", "model"}


def test_a_step_can_be_written_as_the_pipeline_writes_it(summarize: Summarize) -> None:
    summarize("first", find_champion={"Output": False})
    run = last_run()
    assert run["find-champion"] is run["find_champion"] is run["Find champion"]


def test_an_unknown_step_names_the_known_ones(summarize: Summarize) -> None:
    summarize("first")
    with pytest.raises(UsageError, match="no step 'tain'; the steps are ingest, decode, train, "):
        last_run()["tain"]


def test_a_step_without_outputs_says_how_to_make_them(summarize: Summarize) -> None:
    summarize("first")
    with pytest.raises(NoRunError, match=r"first has no outputs of train.*rerun\(run, 'train'\)"):
        last_run()["train"]


def test_an_unknown_artifact_names_near_ones(summarize: Summarize) -> None:
    summarize("first", train={"model": stored("m"), "history": stored("h")})
    with pytest.raises(NoRunError, match="no artifact 'modle'; did you mean model"):
        last_run().artifact("modle")
    with pytest.raises(NoRunError, match="no artifact 'xyz'; there are: model, history"):
        last_run().artifact("xyz")


def test_an_unknown_run_names_near_ones(summarize: Summarize) -> None:
    with pytest.raises(NoRunError, match=r"no run 'x' .*there are none yet"):
        load_run("x")
    summarize("fashion-mnist-1")
    with pytest.raises(NoRunError, match="did you mean fashion-mnist-1"):
        load_run("fashion-mnist-2")


def test_a_part_that_was_run_again_has_the_rest_of_the_earlier_run(summarize: Summarize) -> None:
    summarize("first", decode={"records": stored("r")}, train={"model": stored("old")},
              evaluate={"Output": True})  # fmt: skip
    change(summarize("again", train={"model": stored("new")}), earlier="first")
    run = load_run("again")
    assert set(run.steps) == {"decode", "train"}
    assert run.artifact("model").uri == "new"


def test_a_part_whose_earlier_run_is_gone_still_has_its_own(summarize: Summarize) -> None:
    change(summarize("again", train={"model": stored("new")}), earlier="gone")
    assert set(load_run("again").steps) == {"train"}


def test_the_options_are_the_parameters_that_are_not_the_defaults(root: Path) -> None:
    chosen = {"learning_rate": 0.06, "filters": [16, 32], "epochs": 7, "git_revision": "abc"}
    run = PastRun("run", {**chosen, "bucket_uri": "gs://b"}, {}, root)
    assert run.options == "-p 'filters=[16, 32]' -p learning_rate=0.06"
    spec = specs.load(local.DEFAULT_SPEC)
    given = [word for word in shlex.split(run.options) if word != "-p"]
    assert parameters.parse(given, spec) == {"learning_rate": 0.06, "filters": [16, 32]}


def test_the_table_of_a_run_escapes_what_it_shows(root: Path) -> None:
    run = PastRun("run", {}, {"evaluate": {"note": "<script>"}}, root)
    assert "&lt;script&gt;" in run._repr_html_()
    assert "<script>" not in run._repr_html_()


def test_an_error_has_no_traceback_in_a_notebook() -> None:
    assert NoRunError("one line")._render_traceback_() == ["NoRunError: one line"]
