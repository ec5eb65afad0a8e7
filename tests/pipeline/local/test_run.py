"""How a run begins: the source, the steps' environment, the options."""

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import yaml

from components.dataset.bucket import stat
from components.dataset.description import Description
from pipeline.compiler import COMPILED, PIPELINE, PROJECT
from pipeline.errors import UsageError
from pipeline.local import emulator
from pipeline.local import run as local
from pipeline.runs.record import Run
from pipeline.runs.registry import Registry
from pipeline.runs.root import Root
from pipeline.runs.table import Unwatched
from pipeline.specs import spec as specs
from tests.command import newest_run, start
from tests.idx_files import FASHION, idx_payloads, write_idx_set, write_payloads
from tests.light_steps import light_spec
from tests.saved_models import make_model
from tests.small_project import Project, states


@pytest.mark.parametrize(
    "source", ["gs://photos/raw", "gs://fashion-mnist-local-2/raw", "gs://photos/Zoe's raw"]
)
def test_a_real_bucket_is_refused_with_the_command_that_copies_it(source: str) -> None:
    with pytest.raises(UsageError) as caught:
        local.check_source(source)
    copied = str(caught.value).split("`")[1]
    assert shlex.split(copied) == ["gcloud", "storage", "cp", f"{source}/*", "DIRECTORY"]


def test_folders_of_pictures_are_answered_with_what_makes_a_data_set_of_them(
    tmp_path: Path,
) -> None:
    (tmp_path / "photos" / "boot").mkdir(parents=True)
    (tmp_path / "photos" / "boot" / "1.jpg").touch()
    with pytest.raises(UsageError, match=r"has pictures and not IDX files: `.* pack .*photos OUT`"):
        local.check_source(str(tmp_path / "photos"))
    write_idx_set(tmp_path / "photos", 2, 1)
    assert local.check_source(str(tmp_path / "photos")) == str(tmp_path / "photos")


def test_a_champion_of_other_data_is_refused_before_anything_starts(tmp_path: Path) -> None:
    write_idx_set(tmp_path / "source", 2, 1)
    model = make_model(tmp_path / "model")
    FASHION.write(model)
    Registry(tmp_path / "registry").add_version("fashion-mnist", model, {}, ["default"])
    spec, given = specs.load(COMPILED / PIPELINE), {"source": str(tmp_path / "source")}
    local.checked_arguments(spec, given, root=Root(tmp_path))
    for entry, value, said in (("classes", ["a", "b"], "classes"), ("height", 32, "size")):
        other = {**Description.read(tmp_path / "source").as_dict(), entry: value}
        with pytest.raises(UsageError, match=f"1 is of data with another {said} .*model_name=NAME"):
            local.checked_arguments(spec, {**given, "dataset": other}, root=Root(tmp_path))
        alone = {**given, "dataset": other, "champion_alias": "none"}
        local.checked_arguments(spec, alone, root=Root(tmp_path))


def test_a_source_in_the_working_directory_is_found_by_the_step_alone_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    spec = specs.load(COMPILED / "components" / "ingest.yaml")
    assert local.checked_arguments(spec, {"source": "own"})["source"] == str(tmp_path / "own")


def test_what_was_not_verified_is_looked_at_again(light: Project, tmp_path: Path) -> None:
    given = ["dataset={}", "allow_unverified=true", "model_name=own"]
    (tmp_path / "source").mkdir()
    for path in (light.path / "source").glob("*.gz"):
        shutil.copy(path, tmp_path / "source")
    values = [*given, f"source={tmp_path / 'source'}"]
    runs = [light.run_light(tmp_path / "root", *values) for _ in range(2)]
    assert [states(run)["ingest"] for run in runs] == ["done", "done"]
    assert states(runs[1])["decode"] == "cached"
    write_payloads(tmp_path / "source", idx_payloads(60, 20, seed=5))
    changed = light.run_light(tmp_path / "root", *values)
    assert states(changed)["decode"] == "done"


def test_variables_that_reach_into_a_step_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    environment = local.step_environment("http://127.0.0.1:1", tmp_path, Root(tmp_path), "d")
    assert "PYTHONPATH" not in environment
    assert environment["TMPDIR"] == str(tmp_path)


UPLOAD: Final = """
import sys
from pathlib import Path
from components.dataset.bucket import upload
upload(Path(sys.argv[1]), sys.argv[2])
"""


@pytest.mark.usefixtures("behind_a_proxy")
@pytest.mark.parametrize("spelling", ["no_proxy", "NO_PROXY"])
def test_the_bucket_of_this_machine_is_never_asked_through_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
) -> None:
    monkeypatch.setenv(spelling, "example.org")
    file = tmp_path / "file"
    file.write_bytes(b"content")
    address = f"{local.BUCKET_URI}/file"
    root = Root(tmp_path / "root")
    with emulator.serve(root.bucket) as host:
        step = local.step_environment(host, tmp_path, root, "d")
        command = [sys.executable, "-c", UPLOAD, str(file), address]
        subprocess.run(command, env=step, cwd=PROJECT, check=True, timeout=30)
    before = dict(os.environ)
    with local.bucket(root.path):
        found = stat(address)
    assert found is not None
    assert found.size == len(b"content")
    assert dict(os.environ) == before


def test_a_root_that_is_not_utf_8_is_refused_before_anything_starts(tmp_path: Path) -> None:
    root = Root(tmp_path / os.fsdecode(b"r\xf6ot"))
    with pytest.raises(UsageError, match=r"root=.*/r\\xf6ot is not UTF-8"):
        local.run({}, {}, root, lambda _rows: contextlib.nullcontext(Unwatched()))
    assert not root.path.exists()


def test_a_run_whose_reader_leaves_is_interrupted(light: Project, tmp_path: Path) -> None:
    """As ``run | head -1``: it ends without a word, and its record says so."""
    spec = tmp_path / "spec.yaml"
    spec.write_text(yaml.safe_dump(light_spec()))
    arguments = light.arguments(tmp_path / "root", "--spec", str(spec))
    with start(*arguments, cwd=tmp_path) as process:
        assert process.stdout and process.stderr
        first = process.stdout.readline().removesuffix(": started\n")
        process.stdout.close()
        assert (process.wait(), process.stderr.read()) == (1, "")
    run = Run.read(newest_run(tmp_path / "root"))
    assert run.state == "interrupted"
    assert [task.title for task in run.steps.values() if task.state == "cancelled"] == [first]
