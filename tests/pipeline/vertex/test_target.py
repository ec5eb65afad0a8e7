"""Project and region: the flag, then Google's variables, then gcloud's, then its configuration."""

import re
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.vertex.target import Target, known_regions, located, resolve


@pytest.fixture(autouse=True)
def nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("GOOGLE_CLOUD", "CLOUDSDK_CORE", "CLOUDSDK_AI"):
        monkeypatch.delenv(f"{name}_PROJECT", raising=False)
        monkeypatch.delenv(f"{name}_REGION", raising=False)


def test_each_source_wins_over_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "gcloud"
    script.write_text(
        '#!/bin/sh\n[ "$1 $2" = "config get-value" ] || exit 1\n'
        "case $3 in core/project) echo of-gcloud;; ai/region) echo asia-east1;; esac\n"
    )
    script.chmod(0o755)
    assert resolve(None, None) == Target("of-gcloud", "asia-east1")
    monkeypatch.setenv("CLOUDSDK_CORE_PROJECT", "of-cloudsdk")
    monkeypatch.setenv("CLOUDSDK_AI_REGION", "us-west1")
    assert resolve(None, None) == Target("of-cloudsdk", "us-west1")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "of-google")
    monkeypatch.setenv("GOOGLE_CLOUD_REGION", "us-east1")
    assert resolve(None, None) == Target("of-google", "us-east1")
    assert resolve("of-flag", "europe-west4") == Target("of-flag", "europe-west4")


NAME = "projects/{}/locations/us-east1/pipelineJobs/job-1"
PAGE = "https://console.cloud.google.com/vertex-ai/{}?project={}"


@pytest.mark.parametrize(
    ("reference", "project"),
    [
        (NAME.format("my-project"), "my-project"),
        (NAME.format("123456789012"), "123456789012"),
        (PAGE.format("locations/us-east1/pipelines/runs/job-1", "my-project"), "my-project"),
        (PAGE.format("pipelines/locations/us-east1/runs/job-1/x", "123456789012"), "123456789012"),
    ],
)
def test_what_the_service_prints_wins_over_the_options(reference: str, project: str) -> None:
    found = located(reference, "pipelineJobs", "other-project", "europe-west4")
    assert found == (Target(project, "us-east1"), "job-1")


@pytest.mark.parametrize(
    "reference",
    [
        NAME.format("My_Project"),
        NAME.format("my-project").replace("us-east1", "useast"),
        PAGE.format("locations/us-east1/pipelines/runs/job-1", "My_Project"),
    ],
)
def test_a_name_with_a_project_or_region_that_cannot_be_one_is_to_be_corrected(
    reference: str,
) -> None:
    with pytest.raises(UsageError, match=f"cannot be a .*: correct {re.escape(reference)}$"):
        located(reference, "pipelineJobs", "other-project", "europe-west4")


def test_a_name_by_itself_is_where_the_options_say() -> None:
    for name in ("job-1", NAME.format("p").replace("pipelineJobs", "schedules")):
        found = located(name, "pipelineJobs", "my-project", "europe-west4")
        assert found == (Target("my-project", "europe-west4"), name)


def test_the_regions_are_those_of_the_sdk() -> None:
    from google.cloud.aiplatform.constants import base

    assert known_regions() == base.SUPPORTED_REGIONS - {"global"}


def test_what_is_set_nowhere_is_an_error_that_says_how_to_set_it() -> None:
    with pytest.raises(UsageError, match=r"no project is set: give --project, .*gcloud config"):
        resolve(None, "europe-west4")
    with pytest.raises(UsageError, match=r"no region is set: give --region, .*ai/region"):
        resolve("my-project", None)
