from pathlib import Path
from typing import Any

import pytest
from kfp import compiler, dsl

from pipeline.errors import UsageError
from pipeline.specs import spec as specs


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
