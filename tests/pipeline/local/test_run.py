"""The spec that runs here against the spec that is committed."""

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UsageError
from pipeline.local import localization
from pipeline.local import run as local
from pipeline.runs.root import Root
from pipeline.specs import spec as specs

STAND_INS = {
    "find-champion",
    "model-upload",
    "model-upload-2",
    "model-evaluation-import",
    "model-evaluation-import-2",
}


@pytest.fixture(scope="module")
def committed() -> specs.Spec:
    return specs.load(local.DEFAULT_SPEC)


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two JSON values differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from differences(before.get(key), after.get(key), f"{path}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (left, right) in enumerate(zip(before, after, strict=True)):
            yield from differences(left, right, f"{path}/{index}")
    elif before != after:
        yield path, before, after


def test_nothing_differs_but_preamble_stand_ins_and_placeholders(committed: specs.Spec) -> None:
    changed, stand_ins = localization.localize(committed, "job-1", keep_preamble=False)
    assert stand_ins == STAND_INS
    replaced = {f"/deploymentSpec/executors/exec-{name}/container" for name in STAND_INS}
    for path, before, after in differences(committed, changed):
        if any(path.startswith(prefix) for prefix in replaced):
            continue
        if path.endswith("/container/command"):
            assert before[3:] == after
            assert "pip install" in before[2]
        elif path.endswith("/container/env"):
            assert before is None
            ((name, value),) = (variable.values() for variable in after)
            assert name == localization.PINS
            assert re.fullmatch("[0-9a-f]{64}", value)
        else:
            filled = before
            for placeholder, value in localization.PLACEHOLDERS.items():
                filled = filled.replace(placeholder, value)
            assert filled.replace("{{$.pipeline_job_name}}", "job-1") == after, path


def test_hermetic_steps_keep_their_preamble(committed: specs.Spec) -> None:
    changed, stand_ins = localization.localize(committed, "job-1", keep_preamble=True)
    for label, executor in changed["deploymentSpec"]["executors"].items():
        own = label.removeprefix("exec-") not in stand_ins
        assert ("pip install" in json.dumps(executor)) is own, label


def test_no_placeholder_is_left_that_kfp_local_does_not_know(committed: specs.Spec) -> None:
    changed, _ = localization.localize(committed, "job-1", keep_preamble=False)
    assert "{{$.pipeline_" not in json.dumps(changed)


def test_a_stand_in_reads_only_inputs_that_its_step_has(committed: specs.Spec) -> None:
    from pipeline.local import stand_ins

    for name, component in (
        ("comp-find-champion", stand_ins.find_champion),
        ("comp-model-upload", stand_ins.model_upload),
        ("comp-model-evaluation-import", stand_ins.model_evaluation_import),
    ):
        inputs = committed["components"][name]["inputDefinitions"]
        known = set(inputs.get("parameters", {})) | set(inputs.get("artifacts", {}))
        own = set(component.component_spec.inputs or {})
        missing = own - known - {"parent_model"}
        close = {item: difflib.get_close_matches(item, known) for item in missing}
        assert not missing, close
        given = {
            artifact
            for part in committed["components"].values()
            for task in part.get("dag", {}).get("tasks", {}).values()
            if task["componentRef"]["name"] == name
            for artifact in task["inputs"]["artifacts"]
        }
        assert given <= own


def test_a_relative_source_becomes_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raw").mkdir()
    monkeypatch.chdir(tmp_path)
    assert local.check_source("raw") == str(tmp_path / "raw")
    assert local.check_source("") == ""
    assert local.check_source("gs://fashion-mnist-local/raw") == "gs://fashion-mnist-local/raw"


def test_a_source_directory_that_is_missing_is_wrong_use() -> None:
    for source in ("/no/where", "~nobody-of-this-name/data"):
        with pytest.raises(UsageError, match=f"source={source}: there is no such directory"):
            local.check_source(source)


def test_a_real_bucket_is_no_source_of_a_run_that_has_its_own() -> None:
    for source in ("gs://photos/raw", "gs://fashion-mnist-local-2/raw"):
        with pytest.raises(UsageError, match=rf"`gcloud storage cp '{source}/\*\.gz' DIRECTORY`"):
            local.check_source(source)


def test_variables_that_reach_into_a_step_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("NO_PROXY", "example.org")
    environment = local._environment("http://127.0.0.1:1", tmp_path, Root(tmp_path), "d")
    assert "PYTHONPATH" not in environment
    assert environment["NO_PROXY"] == "example.org,127.0.0.1"
    assert environment["TMPDIR"] == str(tmp_path)
