import base64
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from kfp import compiler, dsl

from components.embedding import step
from pipeline.compiler import COMPILED, PIPELINE
from pipeline.errors import UsageError
from pipeline.specs import spec as specs
from pipeline.steps import STEPS


@step(pins="decode")
def names() -> list:  # type: ignore[type-arg]
    """Names of the classes."""
    from components.dataset.facts import CLASS_NAMES

    return list(CLASS_NAMES)


def compiled(target: Any, path: Path) -> specs.Spec:
    compiler.Compiler().compile(target, str(path / "spec.yaml"))
    return specs.load(path / "spec.yaml")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [", "is not YAML"),
        ("!!python/object/apply:os.system [id]", "is not YAML"),
        ("", r"is not a compiled pipeline: it has no pipelineInfo\.name"),
        ("pipelineInfo: {name: a}\nroot: []", r"it has no root\.dag\.tasks"),
    ],
)
def test_a_file_that_is_not_a_spec_is_refused(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(content)
    with pytest.raises(UsageError, match=said):
        specs.load(tmp_path / "spec.yaml")


def test_canonical_form_keeps_the_code_and_loses_the_machine(tmp_path: Path) -> None:
    before = compiled(names, tmp_path)
    after = specs.canonical(before)
    assert specs.unpacked(after) == specs.unpacked(before)
    assert specs.canonical(after) == after
    (executor,) = after["deploymentSpec"]["executors"].values()
    found = specs.ARCHIVE.search(executor["container"]["command"][-1])
    assert found
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(found[2])), mode="r:gz") as tar:
        facts = {(member.mtime, member.uid, member.uname, member.isfile()) for member in tar}
    assert facts == {(0, 0, "", True)}


def test_the_preamble_is_dropped_and_nothing_else(tmp_path: Path) -> None:
    spec = compiled(names, tmp_path)
    (executor,) = spec["deploymentSpec"]["executors"].values()
    container = executor["container"]
    stripped = specs.strip_preamble(container)
    assert "pip install" in container["command"][2]
    assert stripped["command"] == container["command"][3:]
    assert {**stripped, "command": 0} == {**container, "command": 0}
    assert specs.strip_preamble(stripped) == stripped


def test_the_digest_follows_the_code_and_not_its_packing(tmp_path: Path) -> None:
    spec = compiled(names, tmp_path)
    assert specs.digest(spec) == specs.digest(specs.canonical(spec))
    changed = specs.map_strings(spec, lambda text: text.replace("names", "titles"))
    assert specs.digest(changed) != specs.digest(spec)


def test_tasks_are_listed_in_run_order_through_nested_pipelines(tmp_path: Path) -> None:
    @dsl.component(base_image="python:3.11-slim")
    def zero() -> bool:
        return True

    @dsl.component(base_image="python:3.11-slim")
    def again(value: bool) -> bool:
        return value

    @dsl.pipeline(name="inner")
    def inner(value: bool) -> None:
        again(value=value)

    @dsl.pipeline(name="outer")
    def outer() -> None:
        first = zero()
        with dsl.If(first.output == True):  # noqa: E712
            inner(value=first.output)

    assert list(specs.step_tasks(compiled(outer, tmp_path))) == ["zero", "again"]


def test_all_tasks_of_the_upload_are_one_step() -> None:
    tasks = specs.step_tasks(specs.load(COMPILED / PIPELINE))
    assert list(dict.fromkeys(tasks.values())) == [step.name for step in STEPS]
    assert {task for task, step in tasks.items() if step == "upload"} == {
        "package-model",
        "model-upload",
        "model-upload-2",
        "model-evaluation-import",
        "model-evaluation-import-2",
    }
