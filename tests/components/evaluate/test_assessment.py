import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from components.dataset.errors import DataError
from components.dataset.manifest import content_digest, read_manifest
from components.evaluate import assessment, champion
from components.evaluate.assessment import Assessment, assess
from components.evaluate.predictions import ModelError, predict

Assess = Callable[..., Assessment]


@pytest.fixture
def run(test_records: Path, history: Path, wrong_on_10: Path) -> Assess:
    def call(
        model: Path = wrong_on_10,
        champion: Path = Path("/nowhere"),
        champion_facts: Mapping[str, Any] | None = None,
        **changed: Any,
    ) -> Assessment:
        arguments: dict[str, Any] = {
            "model": model,
            "history": history,
            "raw": {"digests": {"t10k-images-idx3-ubyte": "5b41"}, "verified": True},
            "champion": champion,
            "champion_facts": champion_facts or {},
            "test_records": test_records,
            "min_accuracy": 0.9,
            "min_improvement": 0.0,
        }
        return assess(**{**arguments, **changed})

    return call


def digest_of(model: Path) -> str:
    return content_digest(read_manifest(model))


def test_without_a_champion_the_accuracy_alone_decides(run: Assess) -> None:
    found = run()
    assert found.passed
    assert found.facts["accuracy"] == 0.9
    assert found.facts["champion"] is None
    assert not run(min_accuracy=0.91).passed


def test_the_champion_is_scored_on_the_same_examples(run: Assess, wrong_on_15: Path) -> None:
    facts = {"version": "3", "resourceName": "projects/p/locations/l/models/7@3", "digest": ""}
    found = run(champion=wrong_on_15, champion_facts=facts)
    champion = found.facts["champion"]
    assert found.passed
    assert champion["version"] == "3"
    assert champion["resource_name"] == "projects/p/locations/l/models/7@3"
    assert champion["accuracy"] == 0.85
    assert (champion["gained"], champion["lost"], champion["chance"]) == (5, 0, 2 / 2**5)
    assert champion["digest"] == digest_of(wrong_on_15)
    assert found.metrics["champion_accuracy"] == 0.85


def test_a_challenger_that_is_worse_than_the_champion_does_not_pass(
    run: Assess, wrong_on_10: Path, wrong_on_15: Path
) -> None:
    found = run(wrong_on_15, wrong_on_10, {"version": "3"}, min_accuracy=0.5)
    assert not found.passed
    assert "below version 3's 0.9000" in found.sentence


def test_the_champion_itself_is_recognised_by_the_start_of_its_digest_and_scored_once(
    run: Assess, wrong_on_10: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []

    def counted(directory: Path, *args: Any, **kwargs: Any) -> Any:
        calls.append(directory)
        return predict(directory, *args, **kwargs)

    monkeypatch.setattr(assessment, "predict", counted)
    monkeypatch.setattr(champion, "predict", counted)
    recorded = {"version": "4", "digest": digest_of(wrong_on_10)[:40]}
    found = run(champion_facts=recorded)
    assert calls == [wrong_on_10]
    assert not found.passed
    assert found.sentence == "Unchanged: the model is already version 4."
    assert found.metrics["champion_accuracy"] == 0.9


def test_the_champion_itself_is_recognised_by_its_files_when_no_digest_is_recorded(
    run: Assess, wrong_on_10: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(wrong_on_10, tmp_path / "copy")
    found = run(champion=copy, champion_facts={"version": "4"})
    assert found.sentence == "Unchanged: the model is already version 4."


def test_a_digest_too_short_to_prove_anything_is_not_trusted(
    run: Assess, wrong_on_10: Path, wrong_on_15: Path
) -> None:
    recorded = {"version": "4", "digest": digest_of(wrong_on_10)[:8]}
    found = run(champion=wrong_on_15, champion_facts=recorded)
    assert found.facts["champion"]["same"] is False


def test_a_champion_without_files_is_an_error_that_names_version_and_way_out(run: Assess) -> None:
    with pytest.raises(ModelError, match=r"version 5, .*champion_alias=none"):
        run(champion=Path("/nowhere"), champion_facts={"version": "5"})


def test_a_damaged_champion_is_an_error_that_names_version_and_way_out(
    run: Assess, wrong_on_15: Path, tmp_path: Path
) -> None:
    damaged = shutil.copytree(wrong_on_15, tmp_path / "damaged")
    (damaged / "manifest.json").unlink()
    (damaged / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"version 5, .*champion_alias=none"):
        run(champion=damaged, champion_facts={"version": "5"})


def test_a_champion_that_lost_a_file_is_an_error_that_names_version_and_way_out(
    run: Assess, wrong_on_15: Path, tmp_path: Path
) -> None:
    incomplete = shutil.copytree(wrong_on_15, tmp_path / "incomplete")
    (incomplete / "variables" / "variables.index").unlink()
    with pytest.raises(ModelError, match=r"version 5, .*missing.*champion_alias=none"):
        run(champion=incomplete, champion_facts={"version": "5"})


def test_a_model_without_the_signature_is_an_error(
    run: Assess, make_model: Callable[..., Path]
) -> None:
    with pytest.raises(ModelError, match=r"challenger .*no signature serving_default"):
        run(make_model(0, output="scores"))


def test_a_model_that_answers_with_nan_is_an_error(
    run: Assess, make_model: Callable[..., Path]
) -> None:
    with pytest.raises(ModelError, match="no finite probabilities for 100 of 100"):
        run(make_model(0, answer=float("nan")))


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


def test_the_facts_are_json_and_hold_everything(
    run: Assess, wrong_on_10: Path, test_records: Path
) -> None:
    facts = json.loads(json.dumps(run().facts, allow_nan=False))
    assert facts["model_digest"] == digest_of(wrong_on_10)
    assert facts["data"] == {
        "digests": {"t10k-images-idx3-ubyte": "5b41"},
        "verified": True,
        "test_records": digest_of(test_records),
    }
    assert facts["training"]["parameters"] == {"seed": 3, "filters": [8, 16]}
    assert "epochs" not in facts["training"]
    assert [epoch["epoch"] for epoch in facts["epochs"]] == [1, 2]
    assert facts["verdict"]["min_accuracy"] == 0.9
    assert facts["verdict"]["outcome"] == "passed"
    assert len(facts["mistakes"]) == 10
    sides = [side for pair in facts["confused"] for side in pair["sides"]]
    named = [example for side in sides for example in side["mistaken"] + side["recognised"]]
    shown = {str(example["index"]) for example in [*facts["mistakes"], *named]}
    assert set(facts["pictures"]) == shown
