"""What a path can be, the same for every command."""

from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.cli.conftest import Call
from tests.pipeline.cli.test_app import COMMANDS

PATHS = {
    (*names, option.opts[0]): names
    for names, command in COMMANDS.items()
    for option in command.params
    if option.param_type_name == "option" and option.type_descriptor.annotation is Path
}
COPY_HERE = "is in a bucket; copy it here: `gcloud storage cp -r gs://b/x .`"
COPY_THERE = "give a path, and copy it from there: `gcloud storage cp -r PATH gs://b/x`"


@pytest.mark.parametrize("place", ["gs://b/x", "GS://b/x", "s3://b/x", "file://host/x"])
@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_an_address_is_refused_in_one_line_and_nothing_is_written(
    path: tuple[str, ...], place: str, call: Call
) -> None:
    done = call(*PATHS[path], path[-1], place, *["PHOTO"] * (path[0] == "predict"))
    assert (done.exit_code, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {path[-1]}")
    assert "is in a bucket; " in line or "give a path on this machine, not an address" in line
    assert not list(Path().iterdir())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("predict", "--model", "gs://b/x", "PHOTO"), f"--model gs://b/x {COPY_HERE}"),
        (("predict", "--run", "gs://b/x", "PHOTO"), f"--run gs://b/x {COPY_HERE}"),
        (("run", "--spec", "gs://b/x"), f"--spec gs://b/x {COPY_HERE}"),
        (("report", "gs://b/x"), f"RUN gs://b/x {COPY_HERE}"),
        (("models", "--verify", "gs://b/x"), f"VERSION|DIR gs://b/x {COPY_HERE}"),
        (("models", "--verify", "s3://b/x"), "VERSION|DIR: give a path on this machine"),
        (("pack", "gs://b/x", "out"), f"FOLDER gs://b/x {COPY_HERE}"),
        (("pack", "photos", "gs://b/x"), f"OUT gs://b/x is in a bucket; {COPY_THERE}"),
        (("report", "--output", "gs://b/x"), f"--output gs://b/x is in a bucket; {COPY_THERE}"),
    ],
)
def test_a_bucket_address_is_answered_with_how_to_copy(
    arguments: tuple[str, ...], said: str, call: Call
) -> None:
    done = call(*arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_file_address_is_a_path(call: Call, tmp_path: Path) -> None:
    def said(*arguments: Any) -> str:
        return str(call(*arguments).output)

    place = f"file://{tmp_path}/a%20b"
    (tmp_path / "a b").mkdir()
    assert f"no runs in {tmp_path}/a b" in said("runs", "--root", place)
    assert "run a b has no readable summary.json" in said("report", place)
    assert f"--model {tmp_path}/a b: there is no" in said("predict", "--model", place, "x")
    assert f"{tmp_path}/a b: there is no such file" in said("parameters", "--spec", place)
