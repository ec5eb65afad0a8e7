"""The code of all steps in one archive, and the way back."""

import bz2
import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline import compiler
from pipeline.local.localization import localize
from pipeline.runs.table import Table
from pipeline.specs import archives, shared_code
from pipeline.specs import spec as specs


@pytest.fixture(scope="module")
def shared() -> specs.Spec:
    return specs.load(compiler.COMPILED / compiler.KUBEFLOW_PIPELINE)


def commands(spec: specs.Spec) -> dict[str, list[str]]:
    executors = spec["deploymentSpec"]["executors"]
    return {label: executor["container"]["command"] for label, executor in executors.items()}


def readers(spec: specs.Spec) -> dict[str, Any]:
    """The input artifacts of each task that takes the code, by the task's name."""
    dags = [one for one in (spec["root"], *spec["components"].values()) if "dag" in one]
    tasks = {name: task for dag in dags for name, task in dag["dag"]["tasks"].items()}
    inputs = {name: task.get("inputs", {}).get("artifacts", {}) for name, task in tasks.items()}
    names = (specs.CODE, shared_code.CHANNEL)
    return {name: given[own] for name, given in inputs.items() for own in names if own in given}


def test_every_step_reads_the_code_also_within_a_pipeline(shared: specs.Spec) -> None:
    output = {"taskOutputArtifact": {"outputArtifactKey": "code", "producerTask": "code"}}
    inner = {"componentInputArtifact": shared_code.CHANNEL}
    first = ["ingest", "decode", "train", "find-champion", "evaluate", "condition-1"]
    assert readers(shared) == {**dict.fromkeys(first, output), "upload": inner}
    assert all("code" in shared["root"]["dag"]["tasks"][one]["dependentTasks"] for one in first)


def test_sharing_and_separating_comes_back_to_the_same_spec(shared: specs.Spec) -> None:
    before = copy.deepcopy(shared)
    separate = shared_code.separate(shared)
    assert shared_code.share(separate) == shared == before
    assert shared_code.separate(separate) == separate
    assert not readers(separate)
    assert list(commands(separate)) == [one for one in commands(shared) if one != "exec-code"]


def test_a_pod_becomes_the_command_that_kfp_wrote(shared: specs.Spec, tmp_path: Path) -> None:
    shell = tmp_path / "sh"
    shell.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    shell.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{Path(sys.executable).parent}"

    def run(command: list[str], *arguments: str) -> str:
        filled = [re.sub(r"{{.*}}", str(tmp_path / "code"), word) for word in command]
        done = subprocess.run(
            [*filled, *arguments], env={"PATH": path}, capture_output=True, text=True, check=True
        )
        return done.stdout

    written = commands(shared)
    run(written.pop("exec-code"))
    given = json.dumps({"inputs": {"artifacts": {"code": 1, "raw": 2}}})
    for label, command in commands(shared_code.separate(shared)).items():
        *started, flag, told = json.loads(run(written[label], "--executor_input", given))
        assert [content_of(word) for word in ["sh", *started]] == list(map(content_of, command))
        assert (flag, json.loads(told)) == (
            "--executor_input",
            {"inputs": {"artifacts": {"raw": 2}}},
        )


def content_of(word: str) -> tuple[str, dict[str, bytes]]:
    """A word of a command with the files of its archive, which can be packed in several ways."""
    found = archives.ARCHIVE.search(word)
    return archives.ARCHIVE.sub("", word), archives.unpack(found[2]) if found else {}


def test_the_steps_of_both_pipelines_carry_the_same_files(shared: specs.Spec) -> None:
    here, vertex = (
        {
            label: archives.unpack(found[2])
            for label, command in commands(spec).items()
            if (found := archives.ARCHIVE.search(command[-1]))
        }
        for spec in (
            shared_code.separate(shared),
            specs.load(compiler.COMPILED / compiler.PIPELINE),
        )
    )
    for label in ("exec-ingest", "exec-decode", "exec-train", "exec-evaluate"):
        assert here[label] == vertex[label], label


def test_a_change_of_the_code_is_shown_as_text_and_compression_does_not_count(
    shared: specs.Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = archives.unpack_shared(specs.shared_archive(shared))
    files["files/components/evaluate/gate.py"] += b"SURPRISE = 1\n"

    def with_archive(packed: str) -> specs.Spec:
        own = specs.shared_archive(shared)
        changed: specs.Spec = specs.map_strings(
            shared, lambda text: packed if text == own else text
        )
        return changed

    shown = compiler.difference(
        compiler.COMPILED, compiler.KUBEFLOW_PIPELINE, with_archive(archives.pack_shared(files))
    )
    assert "+SURPRISE = 1" in shown
    assert shown.count("\n") < 10
    compress = bz2.compress
    monkeypatch.setattr(bz2, "compress", lambda data: compress(data, 1))
    again = with_archive(archives.pack_shared(archives.unpack_shared(specs.shared_archive(shared))))
    assert again != shared
    assert specs.digest(again) == specs.digest(shared)


def test_the_task_with_the_code_is_no_row_and_does_not_run_here(shared: specs.Spec) -> None:
    assert list(Table(shared).rows) == list(specs.NAMES)
    local, _ = localize(shared, "job", keep_preamble=False)
    assert "code" not in local["root"]["dag"]["tasks"]
    hermetic, _ = localize(shared, "job", keep_preamble=True)
    assert all("pip install" in command[2] for command in commands(hermetic).values())
    assert "pip install" not in str(commands(local))


def test_an_image_drops_the_pins_inside_the_archive_too() -> None:
    image = "registry.example/image@sha256:" + "0" * 64
    built = specs.SAFE_LOADER(compiler.build(image)[compiler.KUBEFLOW_PIPELINE]).get_data()
    assert {one["container"]["image"] for one in built["deploymentSpec"]["executors"].values()} == {
        image
    }
    steps = archives.unpack_shared(specs.shared_archive(built))["steps.json"]
    assert b"pip install" not in steps
