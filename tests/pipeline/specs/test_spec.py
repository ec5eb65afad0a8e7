import base64
import io
import json
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from kfp import compiler, dsl

from components.embedding import step
from pipeline.errors import UsageError
from pipeline.specs import parameters, spec_form
from pipeline.specs import spec as specs
from tests.fuzz import archives


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
        ("[" * 100_000, "nested too deeply"),
        ("a: &a [x]\nb: *a", "written with aliases"),
        ("a: [", "is no YAML"),
        ("2001-99-99: 1", "is no YAML"),
        ("!!python/object/apply:os.system [id]", "is no YAML"),
        ("a: !!int ''", "is no YAML"),
        ("a: !!timestamp ''", "is no YAML"),
        ("", "is no compiled pipeline"),
        ("root: {}", r"is no compiled pipeline \(pipelineInfo: Field required\)"),
    ],
    ids=range(9),
)
def test_a_file_that_is_no_spec_is_refused(content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(content)
    with pytest.raises(UsageError, match=said):
        specs.load(tmp_path / "spec.yaml")


TASK = {"componentRef": {"name": "comp-a"}, "taskInfo": {"name": "A"}}


def root(**task: Any) -> dict[str, Any]:
    """The root of a pipeline with one task."""
    return {"dag": {"tasks": {"a": task}}}


SPEC = {
    "pipelineInfo": {"name": "a"},
    "root": root(**TASK),
    "deploymentSpec": {"executors": {"exec-a": {"container": {"image": "python"}}}},
    "components": {"comp-a": {"executorLabel": "exec-a"}},
}


def loaded(spec: Any, folder: Path) -> specs.Spec:
    (folder / "spec.yaml").write_text(json.dumps(spec))
    return specs.load(folder / "spec.yaml")


def test_a_spec_without_parameters_is_one(tmp_path: Path) -> None:
    assert specs.declared(loaded(SPEC, tmp_path)) == {}
    assert specs.leaf_tasks(SPEC) == [("a", "A")]


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("root", {}, "root.dag: Field required"),
        ("root", {"dag": {}}, "root.dag.tasks: Field required"),
        ("root", {"dag": None}, "root.dag: Input should be"),
        ("root", root(), "componentRef"),
        ("root", root(**TASK, dependentTasks=["a"]), "a waits for itself"),
        ("root", root(**TASK, dependentTasks=["b"]), "no task is called b"),
        ("pipelineInfo", {}, "pipelineInfo.name: Field required"),
        ("pipelineInfo", {"name": "../a"}, "pipelineInfo.name"),
        ("deploymentSpec", {}, "executors: Field required"),
        ("deploymentSpec", {"executors": {}}, "the component comp-a has no executor"),
        ("deploymentSpec", {"executors": {"exec-a": {"container": None}}}, "container"),
        ("components", {}, "no component is called comp-a"),
        ("components", {"comp-a": root(**TASK)}, "comp-a waits for itself"),
    ],
    ids=range(13),
)
def test_a_part_that_is_not_as_kfp_writes_it_is_named(
    part: str, value: Any, said: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=f"is no compiled pipeline .*{said}"):
        loaded({**SPEC, part: value}, tmp_path)


@pytest.mark.parametrize(
    "definition",
    [
        {},
        {"parameterType": "NUMBER"},
        {"parameterType": "STRING", "defaultValue": 1},
        {"parameterType": "NUMBER_INTEGER", "defaultValue": True},
        {"parameterType": "NUMBER_INTEGER", "defaultValue": float("inf")},
        {"parameterType": "LIST", "defaultValue": {}},
    ],
    ids=range(6),
)
def test_a_parameter_that_is_not_as_kfp_writes_it_is_named(definition: Any, tmp_path: Path) -> None:
    whole = {**root(**TASK), "inputDefinitions": {"parameters": {"epochs": definition}}}
    text = yaml.safe_dump({**SPEC, "root": whole})
    (tmp_path / "spec.yaml").write_text(text)
    with pytest.raises(UsageError, match=r"is no compiled pipeline .*parameters\.epochs"):
        specs.load(tmp_path / "spec.yaml")


def test_every_type_that_a_spec_may_declare_can_be_given() -> None:
    assert set(spec_form.DEFAULTS) == set(parameters.CONVERSIONS)


@pytest.mark.parametrize("packed", ["AAAA", "A", "H4sIAAAA"])
def test_a_damaged_archive_is_named(packed: str) -> None:
    with pytest.raises(UsageError, match="the code in the compiled spec is damaged"):
        specs.digest({"command": f"__KFP_EMBEDDED_ARCHIVE_B64 = '{packed}'"})


@pytest.mark.parametrize(
    ("tar", "said"),
    [
        (archives.link(), "a is no plain file"),
        (archives.chain(), "maximum recursion depth exceeded"),
        (archives.endless(), "a has -512 bytes of 1536"),
        (archives.bomb(specs.LARGEST), f"unpacked it has more than {specs.LARGEST} bytes"),
    ],
    ids=["link", "chain", "endless", "bomb"],
)
@pytest.mark.timeout(60)
def test_an_archive_of_another_make_than_kfps_is_refused(tar: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        specs.digest({"command": archives.embedded(tar)})


def test_the_archives_of_all_steps_are_bounded_together() -> None:
    half = archives.embedded(archives.bomb(specs.LARGEST // 2))
    specs.unpacked({"command": [half]})
    with pytest.raises(UsageError, match=f"more than {specs.LARGEST} bytes"):
        specs.unpacked({"command": [half, half]})


def test_the_folders_of_an_archive_are_passed_over() -> None:
    folder = tarfile.TarInfo(".")
    folder.type = tarfile.DIRTYPE
    packed = archives.embedded(folder.tobuf() + bytes(1024))
    assert specs.unpacked({"command": packed}) == specs.unpacked(
        {"command": archives.embedded(bytes(1024))}
    )


def test_packing_ignores_the_order_and_the_time(monkeypatch: Any) -> None:
    first = specs.pack({"a.py": b"1", "b/c.py": b"2"})
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert specs.pack({"b/c.py": b"2", "a.py": b"1"}) == first
    assert dict(specs.unpack(first)) == {"a.py": b"1", "b/c.py": b"2"}


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
        again(value=value).set_display_name("Inner again")

    @dsl.pipeline(name="outer")
    def outer() -> None:
        first = zero().set_display_name("First")
        with dsl.If(first.output == True):  # noqa: E712
            inner(value=first.output)

    assert specs.leaf_tasks(compiled(outer, tmp_path)) == [
        ("zero", "First"),
        ("again", "Inner again"),
    ]
