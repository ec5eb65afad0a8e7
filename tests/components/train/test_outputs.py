import math
from pathlib import Path

import pytest

from components.train.trainer.outputs import Folder, OutputError, Outputs

BUCKET = "gs://bucket"
NAMED = {
    "AIP_MODEL_DIR": f"{BUCKET}/job/model/",
    "AIP_CHECKPOINT_DIR": f"{BUCKET}/kept/",
    "AIP_TENSORBOARD_LOG_DIR": "board",
}


@pytest.mark.parametrize(
    ("job_dir", "environment", "expected"),
    [
        ("/a/job/", NAMED, "/a/job/model /a/job/checkpoints /a/job/logs"),
        (f"{BUCKET}/a/", {}, f"{BUCKET}/a/model {BUCKET}/a/checkpoints {BUCKET}/a/logs"),
        ("", {"AIP_MODEL_DIR": "a/model/"}, "a/model a/checkpoints a/logs"),
        ("file:///a/b%20c", {}, "/a/b c/model /a/b c/checkpoints /a/b c/logs"),
        ("", NAMED, f"{BUCKET}/job/model {BUCKET}/kept board"),
    ],
)
def test_everything_is_in_the_job_dir_or_where_vertex_says(
    job_dir: str, environment: dict[str, str], expected: str, tmp_path: Path
) -> None:
    outputs = Outputs.of_job(job_dir, environment, tmp_path)
    folders = [outputs.model, outputs.checkpoints, outputs.logs]
    assert " ".join(map(str, folders)) == expected
    for folder in folders:
        assert folder
        assert folder.path.is_relative_to(tmp_path) is bool(folder.address)


@pytest.mark.parametrize(
    ("job_dir", "environment", "said"),
    [
        ("s3://bucket/a", {}, r"--job-dir: an address that starts with s3:// .* gs://BUCKET/"),
        ("", {"AIP_MODEL_DIR": "GS://bucket"}, "AIP_MODEL_DIR: an address that starts with GS://"),
        ("", {**NAMED, "AIP_CHECKPOINT_DIR": "gs:/b"}, "AIP_CHECKPOINT_DIR: .* starts with gs:/ "),
        ("", {**NAMED, "AIP_TENSORBOARD_LOG_DIR": "hdfs://b"}, "AIP_TENSORBOARD_LOG_DIR: .*hdfs:"),
        (f"{__file__}/job", {}, f"--job-dir: {__file__} is not a folder that can be written"),
    ],
)
def test_a_place_that_cannot_be_used_is_refused_by_name(
    job_dir: str, environment: dict[str, str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match=said):
        Outputs.of_job(job_dir, environment, tmp_path)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_json_does_not_have_are_not_written(value: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        Folder(tmp_path).write_json("metrics.json", {"loss": value})
    assert not list(tmp_path.iterdir())
