"""The spec that runs here against the spec that is committed."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from components.dataset.startup import PINS
from pipeline.compiler import COMPILED, DISTRIBUTED_PIPELINE, PIPELINE
from pipeline.local import localization
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
    return specs.load(COMPILED / PIPELINE)


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
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
    assert "{{$.pipeline_" not in json.dumps(changed)
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
            assert name == PINS
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


@pytest.mark.parametrize("keep", [True, False])
def test_a_custom_job_becomes_as_many_processes_as_it_has_replicas(keep: bool) -> None:
    spec = specs.load(COMPILED / DISTRIBUTED_PIPELINE)
    changed, _ = localization.localize(spec, "job-1", keep_preamble=keep)
    command = changed["deploymentSpec"]["executors"]["exec-train"]["container"]["command"]
    start = command.index(localization.CLUSTER)
    assert command[start - 2 : start + 4] == [
        *("python3", "-P", localization.CLUSTER, "--replicas", "2", "--")
    ]
    assert ("pip install" in "".join(command[:start])) is keep
    assert "pip install" not in "".join(command[start:])
