import base64
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from components.dataset.description import Description
from components.dataset.errors import DataError
from components.dataset.manifest import content_digest, read_manifest
from components.evaluate import assessment, gate
from components.evaluate.assessment import assess
from components.evaluate.predictions import ModelError, predict

Assess = Callable[..., dict[str, Any]]


@pytest.fixture
def run(test_records: Path, history: Path, wrong_on_10: Path) -> Assess:
    def call(
        model: Path = wrong_on_10,
        champion: Path = Path("/nowhere"),
        champion_facts: Mapping[str, Any] | None = None,
        min_accuracy: float = 0.9,
        **changed: Any,
    ) -> dict[str, Any]:
        arguments: dict[str, Any] = {
            "model": model,
            "history": history,
            "champion": champion,
            "champion_facts": champion_facts or {},
            "test_records": test_records,
            "thresholds": {"min_accuracy": min_accuracy, "min_improvement": 0.0},
        }
        return assess(**{**arguments, **changed})

    return call


def digest_of(model: Path) -> str:
    return content_digest(read_manifest(model))


def test_without_a_champion_the_accuracy_alone_decides(run: Assess) -> None:
    found = run()
    assert found["verdict"]["passed"]
    assert found["accuracy"] == 0.9
    assert found["champion"] is None
    assert not run(min_accuracy=0.91)["verdict"]["passed"]


def test_the_champion_is_scored_on_the_same_examples(run: Assess, wrong_on_15: Path) -> None:
    facts = {"version": "3", "resourceName": "projects/p/locations/l/models/7@3", "digest": ""}
    found = run(champion=wrong_on_15, champion_facts=facts)
    champion = found["champion"]
    assert found["verdict"]["passed"]
    assert champion["version"] == "3"
    assert champion["resource_name"] == "projects/p/locations/l/models/7@3"
    assert champion["accuracy"] == 0.85
    assert (champion["gained"], champion["lost"], champion["chance"]) == (5, 0, 2 / 2**5)
    assert champion["digest"] == digest_of(wrong_on_15)


def test_a_challenger_that_is_worse_than_the_champion_does_not_pass(
    run: Assess, wrong_on_10: Path, wrong_on_15: Path
) -> None:
    found = run(wrong_on_15, wrong_on_10, {"version": "3"}, min_accuracy=0.5)
    assert not found["verdict"]["passed"]
    assert "below version 3's 0.9000" in found["verdict"]["reason"]


def test_the_champion_itself_is_recognised_by_the_start_of_its_digest_and_scored_once(
    run: Assess, wrong_on_10: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []

    def counted(directory: Path, *args: Any, **kwargs: Any) -> Any:
        calls.append(directory)
        return predict(directory, *args, **kwargs)

    monkeypatch.setattr(assessment, "predict", counted)
    recorded = {"version": "4", "digest": digest_of(wrong_on_10)[:40]}
    found = run(champion_facts=recorded)
    assert calls == [wrong_on_10]
    assert gate.sentence(found["verdict"]) == "Unchanged: the model is already version 4."
    assert found["champion"]["accuracy"] == 0.9


def test_the_champion_itself_is_recognised_by_its_files_when_no_digest_is_recorded(
    run: Assess, wrong_on_10: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(wrong_on_10, tmp_path / "copy")
    found = run(champion=copy, champion_facts={"version": "4"})
    assert found["verdict"]["outcome"] == "unchanged"


@pytest.mark.parametrize("damage", ["gone", "no model", "incomplete"])
def test_a_champion_that_cannot_be_used_is_an_error_that_names_version_and_way_out(
    run: Assess, wrong_on_15: Path, tmp_path: Path, damage: str
) -> None:
    champion = shutil.copytree(wrong_on_15, tmp_path / "champion")
    if damage == "gone":
        shutil.rmtree(champion)
    elif damage == "no model":
        (champion / "manifest.json").unlink()
        (champion / "saved_model.pb").write_bytes(b"no model")
    else:
        (champion / "variables" / "variables.index").unlink()
    with pytest.raises(ModelError, match=r"version 5, .*champion_alias=none"):
        run(champion=champion, champion_facts={"version": "5"})


def test_a_champion_of_other_data_is_an_error_that_offers_another_model_name(
    run: Assess, make_model: Callable[..., Path]
) -> None:
    champion = make_model(0, about=Description("letters", ("a", "b", "c"), 28, 28))
    with pytest.raises(ModelError) as caught:
        run(champion=champion, champion_facts={"version": "5"})
    assert str(caught.value) == (
        "the champion, version 5, has 3 classes, and the data 10; run with -p model_name=NAME to "
        "begin another model, or with -p champion_alias=none to compare with nothing"
    )


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"output": "scores"}, "challenger .*no signature serving_default"),
        ({"answer": float("nan")}, "challenger .*expected finite probabilities"),
    ],
)
def test_a_model_that_answers_otherwise_is_an_error(
    model: dict[str, Any], said: str, run: Assess, make_model: Callable[..., Path]
) -> None:
    with pytest.raises(ModelError, match=said):
        run(make_model(0, **model))


def test_an_unfinished_model_and_unfinished_records_are_refused(
    run: Assess, wrong_on_10: Path, test_records: Path, tmp_path: Path
) -> None:
    for name, source in (("model", wrong_on_10), ("test_records", test_records)):
        copy = shutil.copytree(source, tmp_path / name)
        (copy / "manifest.json").unlink()
        with pytest.raises(DataError, match="unfinished"):
            run(**{name: copy})


def test_a_history_that_is_no_json_is_refused(run: Assess, tmp_path: Path) -> None:
    (tmp_path / "history").write_text("{")
    with pytest.raises(DataError, match=r"history .* cannot be read"):
        run(history=tmp_path / "history")


def test_the_facts_are_json_and_hold_everything_with_the_pixels_of_what_is_shown(
    run: Assess, wrong_on_10: Path, test_records: Path
) -> None:
    facts = json.loads(json.dumps(run(), allow_nan=False))
    assert facts["model_digest"] == digest_of(wrong_on_10)
    assert facts["dataset"] == {
        "name": "FashionMNIST",
        "form": "28x28",
        "counts": {"train": [50] * 10, "validation": [5] * 10, "test": [10] * 10},
        "digests": {},
        "verified": True,
        "test_records": digest_of(test_records),
    }
    assert facts["training"]["parameters"] == {"seed": 3, "filters": [8, 16]}
    assert "epochs" not in facts["training"]
    assert [epoch["epoch"] for epoch in facts["epochs"]] == [1, 2]
    assert len(facts["mistakes"]) == 10
    examples = assessment.read_examples(test_records)
    assert facts["image_shape"] == [28, 28]
    assert {example["index"] for example in facts["mistakes"]} <= set(map(int, facts["images"]))
    for index, pixels in facts["images"].items():
        assert base64.b64decode(pixels) == examples.images[int(index)].tobytes()
