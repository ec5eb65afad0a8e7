import json
from pathlib import Path
from typing import Any

import pytest

from components.dataset.errors import DataError
from components.upload import provenance
from tests.fakes.model_service import ALIAS, LABEL_KEY, LABEL_VALUE

ORIGIN = {"pipeline_name": "fashion-mnist", "git_revision": "57cbf46"}
HOSTILE = (
    "",
    "-",
    "main",
    "feature/Ärger-über#1",
    "v1.0-3-g57cbf46-dirty",
    'quote " and \\ backslash',
    "line\nbreak\ttab\x00\x7f",
    '","labels":{"pipeline":"other"},"x":"',
    "{{$.inputs.parameters['labels']}}",
    "İstanbul",
    "時装",
    "0" * 40,
    "-" * 200,
    "Z" * 500,
    "default",
)


def labels(evaluation: dict[str, Any], revision: str) -> dict[str, str]:
    return provenance.labels(evaluation, pipeline_name="fashion-mnist", git_revision=revision)


def description(evaluation: dict[str, Any], run_id: str = "run-1", revision: str = "") -> str:
    return provenance.description(
        evaluation, pipeline_name="fashion-mnist", git_revision=revision, run_id=run_id
    )


def test_the_labels_say_pipeline_accuracy_digest_and_revision(evaluation: dict[str, Any]) -> None:
    assert labels(evaluation, "57cbf46") == {
        "pipeline": "fashion-mnist",
        "accuracy": "0_9365",
        "model_digest": evaluation["model_digest"][:40],
        "git_revision": "57cbf46",
    }


def test_an_unknown_revision_has_no_label(evaluation: dict[str, Any]) -> None:
    assert "git_revision" not in labels(evaluation, "")


@pytest.mark.parametrize("revision", HOSTILE)
def test_labels_are_valid_whatever_the_revision(evaluation: dict[str, Any], revision: str) -> None:
    found = labels(evaluation, revision)
    assert all(LABEL_KEY.fullmatch(key) for key in found)
    assert all(LABEL_VALUE.fullmatch(value) for value in found.values()), found
    assert found["pipeline"] == "fashion-mnist"


@pytest.mark.parametrize("run_id", [*HOSTILE, "a", "7", "7-up", "a-", "--a", "run-" + "y" * 124])
def test_the_alias_of_a_run_is_valid_whatever_its_id(run_id: str) -> None:
    alias = provenance.run_alias(run_id)
    assert ALIAS.fullmatch(alias), alias
    assert alias != provenance.DEFAULT_ALIAS


@pytest.mark.parametrize("length", range(120, 136))
def test_an_alias_keeps_the_end_of_a_long_id_where_the_time_is(length: int) -> None:
    run_id = "fashion-mnist-" + "x" * (length - 29) + "-20261124041049"
    alias = provenance.run_alias(run_id)
    assert ALIAS.fullmatch(alias)
    assert alias.endswith("xx-20261124041049")
    assert (alias == run_id) is (length <= 128)


def test_an_ordinary_id_is_the_alias_as_it_is() -> None:
    assert provenance.run_alias("fashion-mnist-20261124041049") == "fashion-mnist-20261124041049"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_description_can_stand_in_json_without_escapes(
    evaluation: dict[str, Any], text: str
) -> None:
    found = description(evaluation, run_id=text, revision=text)
    assert json.loads(f'{{"description": "{found}"}}') == {"description": found}


def test_the_description_compares_with_the_champion(evaluation: dict[str, Any]) -> None:
    assert description(evaluation, revision="57cbf46") == (
        "Test accuracy 0.9365, loss 0.1877 on 10000 examples; version 3 had 0.9300. "
        "Pipeline fashion-mnist, run run-1, revision 57cbf46."
    )


def test_without_a_champion_the_description_names_none(evaluation: dict[str, Any]) -> None:
    evaluation["champion"] = None
    assert description(evaluation) == (
        "Test accuracy 0.9365, loss 0.1877 on 10000 examples. Pipeline fashion-mnist, run run-1."
    )


def test_the_provenance_holds_what_a_registry_is_asked_for(evaluation: dict[str, Any]) -> None:
    assert provenance.provenance(evaluation, run_id="run-1", **ORIGIN) == {
        "pipeline": "fashion-mnist",
        "run": "run-1",
        "git_revision": "57cbf46",
        "metrics": {"accuracy": 0.93649, "loss": 0.18765, "macro_f1": 0.9361, "examples": 10000},
        "digests": {
            "model": evaluation["model_digest"],
            "raw": {"train-images-idx3-ubyte": "c59f"},
            "train_records": "7ea1",
            "validation_records": "",
            "test_records": "feed",
            "code": "c0de",
        },
        "verified": True,
        "parameters": {"seed": 3},
        "versions": {"tensorflow": "2.21.0"},
    }


def test_an_evaluation_is_read_as_it_was_written(
    evaluation: dict[str, Any], evaluation_file: Path
) -> None:
    assert provenance.read_evaluation(evaluation_file) == evaluation


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff\xfe"])
def test_an_evaluation_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "evaluation"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=f"the evaluation {path} .*--no-cache"):
        provenance.read_evaluation(path)
