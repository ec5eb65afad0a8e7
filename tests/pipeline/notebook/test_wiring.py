"""What the compiled pipeline says about its steps."""

from pipeline.notebook.wiring import Source, dependents, wiring
from pipeline.steps import STEPS


def test_each_step_is_found_with_where_its_inputs_come_from() -> None:
    found = wiring()
    assert set(found) == {step.name for step in STEPS}
    train = found["train"].sources
    assert found["decode"].sources["raw"] == Source("ingest", "raw")
    assert train["seed"] == Source(name="seed")
    upload = found["upload"].sources
    assert upload["has_parent"] == Source("find_champion", "Output")
    assert upload["model"] == Source("train", "model")
    assert upload["model_name"] == Source(name="model_name")
    location = found["find_champion"].sources["location"]
    assert location == Source(constant="{{$.pipeline_google_cloud_location}}")


def test_what_depends_on_a_step_is_all_that_reads_it() -> None:
    assert dependents("ingest") >= {"decode", "train", "evaluate", "upload"}
    assert dependents("train") == {"evaluate", "upload"}
    assert dependents("find_champion") == {"evaluate", "upload"}
    assert dependents("upload") == set()
