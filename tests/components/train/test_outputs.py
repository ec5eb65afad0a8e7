from pathlib import Path

import pytest

from components.train.trainer.outputs import Outputs

NAMED = {"AIP_CHECKPOINT_DIR": "gs://bucket/kept/", "AIP_TENSORBOARD_LOG_DIR": "board"}


def places(outputs: Outputs) -> list[str]:
    folders = (outputs.model, outputs.checkpoints, outputs.logs, outputs.figures)
    return [folder.address or str(folder.path) for folder in folders if folder]


@pytest.mark.parametrize("job_dir", ["job", "/a/job/", "gs://bucket/job/"])
def test_everything_is_below_the_job_dir(job_dir: str, tmp_path: Path) -> None:
    job = job_dir.rstrip("/")
    expected = [f"{job}/model", f"{job}/checkpoints", f"{job}/logs", job]
    assert places(Outputs.of_job(job_dir, {"AIP_MODEL_DIR": "other"}, tmp_path)) == expected


@pytest.mark.parametrize(
    ("model", "beside"),
    [
        ("model", ["checkpoints", "logs", "."]),
        ("a/model/", ["a/checkpoints", "a/logs", "a"]),
        ("/model", ["/checkpoints", "/logs", "/"]),
        (
            "gs://bucket/job/model/",
            [f"gs://bucket/job{name}" for name in ("/checkpoints", "/logs", "")],
        ),
        ("gs://bucket/model", ["gs://bucket/checkpoints", "gs://bucket/logs", "gs://bucket"]),
    ],
)
def test_what_vertex_does_not_name_is_beside_the_model(
    model: str, beside: list[str], tmp_path: Path
) -> None:
    outputs = Outputs.of_job("", {"AIP_MODEL_DIR": model}, tmp_path)
    assert places(outputs) == [model.rstrip("/"), *beside]


def test_what_vertex_names_is_where_it_says(tmp_path: Path) -> None:
    outputs = Outputs.of_job("", {**NAMED, "AIP_MODEL_DIR": "gs://bucket/job/model/"}, tmp_path)
    assert places(outputs) == [
        "gs://bucket/job/model",
        "gs://bucket/kept",
        "board",
        "gs://bucket/job",
    ]
    kept = [folder.path for folder in (outputs.model, outputs.checkpoints) if folder]
    assert all(path.is_relative_to(tmp_path) for path in kept)
