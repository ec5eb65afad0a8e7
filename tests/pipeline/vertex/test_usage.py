"""Wrong use of the commands for Vertex AI: one line, exit code 2, and nothing is sent."""

from pathlib import Path

import pytest

from pipeline import compiler
from pipeline.errors import UsageError
from pipeline.vertex import target
from pipeline.vertex.target import Target
from tests.fakes.cloud import Cloud
from tests.pipeline.vertex.conftest import Command

ELSEWHERE = "projects/my-project/locations/us-east1/keyRings/ring/cryptoKeys/key"


def usage(*arguments: str) -> tuple[str, ...]:
    return arguments


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (usage("-p", "epoch=3"), "no parameter 'epoch'; did you mean epochs?"),
        (usage("-p", "epochs=three"), "epochs takes a whole number"),
        (usage("-p", "learning_rate=abc"), "learning_rate takes a number"),
        (usage("--preset", "slow"), "there is no such preset"),
        (usage("--source", "data"), "cannot read a directory of this machine"),
        (usage("-p", "source=/data"), "gcloud storage cp /data/*.gz"),
        (usage("--label", "team"), "give a label as key=value"),
        (usage("--label", "Team=vision"), "must begin with a lower-case letter"),
        (usage("--label", "version=1.0"), "(a dot is none of them: write 1_0)"),
        (usage("--label", f"team={'x' * 64}"), "at most 63"),
        (usage("--label", "git_dirty=false"), "is set by the command itself"),
        (usage("--label", "goog-team=vision"), "are Google Cloud's own"),
        (usage("--service-account", "pipeline"), "pipeline@my-project.iam.gserviceaccount.com"),
        (usage("--network", "default"), "projects/NUMBER/global/networks/NAME"),
        (usage("--encryption-key", "key"), "projects/…/locations/…/keyRings/…/cryptoKeys/…"),
        (usage("--encryption-key", ELSEWHERE), "the key is in us-east1"),
        (usage("--experiment", "First_Tries"), "lower-case letters, digits and hyphens"),
        (usage("--spec", "no.yaml"), "--spec no.yaml: there is no such file"),
        (usage("--spec", "x.yaml", "--spot"), "has its machines and image already"),
        (usage("--image", "fashion-mnist"), "give the image with its registry"),
        (
            usage("--accelerator", "T4"),
            "there is no accelerator 'T4'",
        ),
        (usage("--accelerator", "NVIDIA_TESLA_T4:3"), "a machine has 1, 2, 4 of NVIDIA_TESLA_T4"),
        (usage("--accelerator", "NVIDIA_TESLA_T4:"), "give TYPE or TYPE:N"),
        (
            usage("--accelerator", "NVIDIA_L4", "--machine-type", "n1-standard-8"),
            "machine type n1-standard-8 has no NVIDIA_L4; give g2-standard-8",
        ),
        (
            usage("--accelerator", "NVIDIA_TESLA_V100", "--machine-type", "e2-standard-4"),
            "give n1-standard-8",
        ),
        (usage("--machine-type", "large"), "give one as in n1-standard-8"),
        (usage("--replicas", "0"), "0 replicas: give 1 or more"),
        (usage("--replicas", "3"), "batch_size is 256, and must be a multiple of it"),
        (usage("--schedule", "0 6 * *"), "give five fields"),
        (usage("--schedule", "61 6 * * 1"), "'61' is no minute; it takes 0 to 59"),
        (usage("--schedule", "0 6 * * MOM"), "'MOM' is no day of the week"),
        (usage("--schedule", f"{'9' * 5000} 6 * * 1"), "is no minute; it takes 0 to 59"),
        (usage("--schedule", f"*/{'9' * 5000} 6 * * 1"), "is no minute; it takes 0 to 59"),
        (usage("--schedule", "0 6 * * 1", "--time-zone", "Berlin"), "as in Europe/Berlin"),
        (usage("--schedule", "0 6 * * 1", "--wait"), "leave one out"),
        (usage("--schedule", "0 6 * * 1", "--experiment", "first"), "scheduled runs"),
        (usage("--max-runs", "3"), "--max-runs needs --schedule"),
        (usage("--require-upload"), "--require-upload needs --wait"),
        (usage("--project", "MY_PROJECT"), "project 'MY_PROJECT' cannot be a project"),
        (usage("--region", "europe"), "region 'europe' cannot be a region"),
        (usage("--bucket", "my-bucket/folder"), "give the name of a bucket, without a folder"),
    ],
)
def test_a_wrong_option_is_one_line_and_nothing_is_sent(
    arguments: tuple[str, ...],
    expected: str,
    cloud: Cloud,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compiler, "check", lambda: None)
    committed = (compiler.COMPILED / compiler.PIPELINE).read_text()
    monkeypatch.setattr(compiler, "build_distributed", lambda *_: committed, raising=False)
    told = command("submit", "--bucket", "my-bucket", *arguments)
    assert told.code == 2, told.error
    assert expected in told.error
    assert len(told.error.strip().splitlines()) == 1
    assert cloud.wire.calls == []


def test_a_stale_spec_is_refused(
    cloud: Cloud, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "difference", lambda _folder, name, _spec: f"{name}: another\n")
    told = command("submit", "--bucket", "my-bucket")
    assert told.code == 2
    assert "compiled/ is stale: run `make compile`" in told.error
    assert cloud.wire.calls == []


@pytest.mark.parametrize("reference", ["Job", "job/1", "projects/p/locations/r/models/1"])
def test_what_is_no_job_is_refused(reference: str, cloud: Cloud, command: Command) -> None:
    for name in ("watch", "cancel"):
        told = command(name, reference)
        assert told.code == 2
        assert "give its id" in told.error
    assert cloud.wire.calls == []


class TestTheTarget:
    """The flag, then Google's variables, then gcloud's, then gcloud's configuration."""

    @pytest.fixture(autouse=True)
    def nothing_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("GOOGLE_CLOUD", "CLOUDSDK_CORE", "CLOUDSDK_AI"):
            monkeypatch.delenv(f"{name}_PROJECT", raising=False)
            monkeypatch.delenv(f"{name}_REGION", raising=False)

    def gcloud(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A gcloud that is configured."""
        script = folder / "gcloud"
        script.write_text(
            '#!/bin/sh\n[ "$1 $2" = "config get-value" ] || exit 1\n'
            "case $3 in core/project) echo of-gcloud;; ai/region) echo asia-east1;; esac\n"
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=":")

    def test_each_source_wins_over_the_next(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.gcloud(tmp_path, monkeypatch)
        assert target.resolve(None, None) == Target("of-gcloud", "asia-east1")
        monkeypatch.setenv("CLOUDSDK_CORE_PROJECT", "of-cloudsdk")
        monkeypatch.setenv("CLOUDSDK_AI_REGION", "us-west1")
        assert target.resolve(None, None) == Target("of-cloudsdk", "us-west1")
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "of-google")
        monkeypatch.setenv("GOOGLE_CLOUD_REGION", "us-east1")
        assert target.resolve(None, None) == Target("of-google", "us-east1")
        assert target.resolve("of-flag", "europe-west4") == Target("of-flag", "europe-west4")

    def test_what_is_set_nowhere_is_asked_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(UsageError, match=r"no project is set: give --project .*gcloud"):
            target.resolve(None, "europe-west4")
        with pytest.raises(UsageError, match=r"no region is set: give --region"):
            target.resolve("my-project", None)

    def test_a_region_cannot_lead_to_another_host(self) -> None:
        with pytest.raises(UsageError, match="cannot be a region"):
            target.resolve("my-project", "evil.example.com/europe-west4")
