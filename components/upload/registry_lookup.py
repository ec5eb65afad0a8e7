"""Finds the champion in Vertex AI's Model Registry, or says exactly why it cannot.

An error never passes for "no champion": a challenger that was compared with nothing because a
role was missing would replace a better model.
"""

import contextlib
import logging
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from components.dataset import bucket
from components.dataset.errors import BucketError, StepError
from components.dataset.refusals import advice, is_credentials, refusal
from components.dataset.sign_in import reading_credentials

NO_ALIAS: Final = "none"
"""The value of ``champion_alias`` that compares with nothing."""
WAY_OUT: Final = "or run with -p champion_alias=none to compare with nothing"
DISPLAY_NAME: Final = re.compile(r'[^"\\\x00-\x1f]{1,128}')
"""Vertex AI's length, without what Google's upload op would have to escape in its JSON."""
ALIAS: Final = re.compile("[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]|[1-9][0-9]*")
"""Vertex AI's rule for an alias; or the number of a version."""
DIGEST_LABEL: Final = "model_digest"
SERVICE: Final = "aiplatform.googleapis.com"
SAVED_MODEL: Final = "saved_model.pb"


class ChampionError(StepError):
    """The registry cannot be read, or what it holds cannot be compared with."""


class Champion(NamedTuple):
    """The version to compare with.

    The URI is its SavedModel directory; the digest is the start of its content digest (40
    hexadecimal digits), empty when it has none.
    """

    resource_name: str
    version: str
    uri: str
    digest: str


def connect(location: str) -> Any:
    """A ``ModelServiceClient`` for a region, with the environment's credentials."""
    from google.cloud.aiplatform_v1 import ModelServiceClient

    with reading_credentials():
        return ModelServiceClient(client_options={"api_endpoint": f"{location}-{SERVICE}"})


def look_up(
    model_name: str, champion_alias: str, project: str, location: str
) -> tuple[str, Champion | None]:
    """Finds the model of a display name and the version that an alias or a number stands for.

    Returns:
        The model's resource name without a version, empty when there is no model; and the version
        with the alias, None when there is no model or none was asked for.

    Raises:
        ChampionError: As ``check_names``; the registry may not be read or does not answer,
            several models have the name, no version has the alias, or the version's files are gone.
    """
    check_names(model_name, champion_alias)
    registry = f"the Model Registry of project {project!r} in {location}"
    with _refusals(registry):
        client = connect(location)
        parent = _only_model(client, model_name, f"projects/{project}/locations/{location}")
        if not parent or champion_alias == NO_ALIAS:
            return parent, None
        champion = _version(client, parent, champion_alias, model_name)
    _check_files(champion, model_name)
    return parent, champion


def check_names(model_name: str, champion_alias: str) -> None:
    """Refuses names that no model or no version can have.

    Raises:
        ChampionError: The one cannot be a display name, or the other neither alias nor number.
    """
    if not DISPLAY_NAME.fullmatch(model_name):
        raise ChampionError(
            f"model_name {model_name!r} cannot be a display name here: "
            "it needs 1 to 128 characters, and no quote, backslash or line break"
        )
    if not ALIAS.fullmatch(champion_alias):
        raise ChampionError(
            f"champion_alias {champion_alias!r} is neither an alias (letters, digits and hyphens, "
            "the first a small letter) nor a version's number; give one of them, or none"
        )


def _only_model(client: Any, model_name: str, parent: str) -> str:
    query = {"parent": parent, "filter": f'display_name="{model_name}"'}
    models = [model for model in client.list_models(query) if model.display_name == model_name]
    names = sorted(model.name.partition("@")[0] for model in models)
    if len(names) > 1:
        ids = ", ".join(name.rpartition("/")[2] for name in names)
        raise ChampionError(
            f"{parent} has {len(names)} models named {model_name!r} (ids {ids}): "
            "delete or rename all but one, or run with another -p model_name=…"
        )
    return names[0] if names else ""


def _version(client: Any, parent: str, alias: str, model_name: str) -> Champion:
    versions = list(client.list_model_versions({"name": parent}))
    for version in versions:
        if alias == version.version_id or alias in version.version_aliases:
            name = f"{parent}@{version.version_id}"
            model = client.get_model({"name": name})
            logging.getLogger(__name__).info("%s has alias %r", name, alias)
            digest = model.labels.get(DIGEST_LABEL, "")
            return Champion(name, version.version_id, model.artifact_uri, digest)
    known = sorted(
        f"{name} ({version.version_id})" for version in versions for name in version.version_aliases
    )
    raise ChampionError(
        f"model {model_name!r} ({parent}) has no version with alias {alias!r}; "
        f"aliases there: {', '.join(known) or 'none'}. "
        f"Run with -p champion_alias= one of them, {WAY_OUT}"
    )


def _check_files(champion: Champion, model_name: str) -> None:
    label = f"version {champion.version} of {model_name!r} ({champion.resource_name})"
    if not champion.uri.startswith(bucket.SCHEME):
        raise ChampionError(
            f"{label} has no SavedModel of its own (artifact URI {champion.uri!r}): "
            f"give the alias to another version, {WAY_OUT}"
        )
    file = f"{champion.uri.rstrip('/')}/{SAVED_MODEL}"
    try:
        there = bucket.stat(file)
    except BucketError as error:
        raise ChampionError(f"the files of {label}: {error}, {WAY_OUT}") from error
    if not there:
        raise ChampionError(f"{label} has lost its files: {file} is gone; restore it, {WAY_OUT}")


@contextlib.contextmanager
def _refusals(registry: str) -> Iterator[None]:
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError

    try:
        yield
    except (GoogleAuthError, GoogleAPIError, OSError) as error:
        refused = refusal(error)
        cure = advice(error, service=SERVICE)
        if is_credentials(error):
            fault = f"no valid credentials for {registry}"
        elif refused.code == 403:
            fault = f"{registry} may not be read"
            if not cure and "aiplatform." in refused.facts.get("permission", ""):
                cure = "grant the pipeline's service account roles/aiplatform.viewer"
        elif refused.code in (400, 404):
            fault = f"{registry} refused the look-up"
            cure = cure or "check project, location and model_name"
        else:
            fault, cure = f"{registry} did not answer", cure or "run again"
        text = "; ".join(filter(None, (f"{fault} ({refused.words})", cure)))
        raise ChampionError(text) from error
