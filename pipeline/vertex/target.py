"""Where on Google Cloud: the project and the region, as the machine's owner has set them."""

import dataclasses
import os
import re
import shutil
import subprocess
from typing import Final

from pipeline.errors import UsageError

PROJECT: Final = re.compile(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]")
"""A project's id; some old ones have a domain in front."""
REGION: Final = re.compile(r"[a-z]+-[a-z]+[0-9]{1,2}")
GCLOUD_SECONDS: Final = 20


@dataclasses.dataclass(frozen=True)
class Target:
    """A project and a region.

    Attributes:
        project: The project's id.
        region: As ``europe-west4``.
    """

    project: str
    region: str

    @property
    def parent(self) -> str:
        """Resource name of all that Vertex AI has there."""
        return f"projects/{self.project}/locations/{self.region}"

    @property
    def flags(self) -> str:
        """The two as options of a command, to be typed again."""
        return f"--project {self.project} --region {self.region}"

    def __str__(self) -> str:
        return f"project {self.project} in {self.region}"


def resolve(project: str | None, region: str | None) -> Target:
    """The target that the options, the environment or gcloud's configuration name.

    Args:
        project: Value of ``--project``.
        region: Value of ``--region``.

    Raises:
        UsageError: Nothing names one of them, or what names it cannot be one.
    """
    return Target(
        _checked(
            "project",
            PROJECT,
            project or _set("GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT", "core/project"),
            "--project ID, set GOOGLE_CLOUD_PROJECT, or run `gcloud config set project ID`",
        ),
        _checked(
            "region",
            REGION,
            region or _set("GOOGLE_CLOUD_REGION", "CLOUDSDK_AI_REGION", "ai/region"),
            "--region as in europe-west4, set GOOGLE_CLOUD_REGION, or run "
            "`gcloud config set ai/region REGION`",
        ),
    )


def _set(google: str, gcloud: str, configured: str) -> str:
    return os.environ.get(google) or os.environ.get(gcloud) or _configured(configured)


def _configured(name: str) -> str:
    """A property of gcloud's active configuration; empty where there is none, or no gcloud."""
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return ""
    command = [gcloud, "config", "get-value", name, "--quiet"]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=True, timeout=GCLOUD_SECONDS
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    value = done.stdout.strip()
    return "" if value == "(unset)" else value


def _checked(what: str, pattern: re.Pattern[str], value: str, cure: str) -> str:
    if not value:
        raise UsageError(f"no {what} is set: give {cure}")
    if not pattern.fullmatch(value):
        raise UsageError(f"{what} {value!r} cannot be a {what}: give {cure}")
    return value
