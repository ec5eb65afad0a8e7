"""Finds the champion in MLflow's registry, or at an address, and brings its files."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from components.dataset.errors import DataError
from components.dataset.manifest import model_digest
from components.dataset.redaction import one_line
from components.dataset.startup import quiet_start
from components.upload.mlflow import server
from components.upload.mlflow.server import MlflowError

CHAMPION: Final = "champion.json"
"""Beside the champion's SavedModel: what its metadata say too, and a backend may change."""
SAVED_MODEL: Final = "saved_model.pb"
WAY_OUT: Final = "or run with -p champion_alias=none to compare with nothing"
DIGITS: Final = 8
"""Of the digest that stands for the version of a model that has none."""


class Found(NamedTuple):
    """The champion's resourceName, version and digest, empty without one; a line for the log."""

    facts: dict[str, str]
    sentence: str


def look_up(
    model_name: str, tracking_uri: str, champion_alias: str, champion_uri: str, directory: Path
) -> tuple[bool, Found]:
    """Whether there is a model of that name, and the champion, whose files go to ``directory``.

    Raises:
        ParameterError: A name or an address cannot be.
        MlflowError: The server refuses or does not answer, no version has the alias, or the
            champion's files cannot be had.
    """
    server.check_names(model_name, champion_alias)
    server.check_address(tracking_uri)
    server.check_champion_uri(champion_uri, tracking_uri)
    server.prepare(tracking_uri)
    directory.mkdir(parents=True, exist_ok=True)
    if tracking_uri:
        there, found = _in_registry(model_name, tracking_uri, champion_alias, directory)
    elif champion_uri and champion_alias != server.NO_ALIAS:
        there, found = True, _at_address(champion_uri, directory)
    else:
        there, found = False, Found({}, "There is no registry and no champion_uri: no champion.")
    (directory / CHAMPION).write_text(json.dumps(found.facts))
    return there, found


def _in_registry(name: str, tracking_uri: str, alias: str, directory: Path) -> tuple[bool, Found]:
    from mlflow.exceptions import MlflowException

    with server.refusals(tracking_uri, f"look up the model {name!r}"), quiet_start():
        client = server.connect(tracking_uri)
        try:
            model = client.get_registered_model(name)
        except MlflowException as error:
            if not server.is_missing(error):
                raise
            return False, Found({}, f"MLflow has no model {name!r} yet: there is no champion.")
        if model.name != name:
            raise MlflowError(f"{tracking_uri} does not answer as MLflow does; check tracking_uri")
        if alias == server.NO_ALIAS:
            return True, Found({}, f"Model {name!r} exists, and no champion was asked for.")
        versions = {str(one.version): one for one in server.versions(client, name)}
    if not versions and not model.aliases:  # An upload ended before it made one.
        return True, Found({}, f"Model {name!r} has no version yet: there is no champion.")
    number = alias if alias in versions else str(model.aliases.get(alias, ""))
    if number not in versions:
        known = ", ".join(f"{each} ({number})" for each, number in sorted(model.aliases.items()))
        raise MlflowError(
            f"model {name!r} at {tracking_uri} has no version with alias {alias!r}; aliases there: "
            f"{known or 'none'}. Give a version this alias, run with -p champion_alias= another "
            f"alias or a version's number, {WAY_OUT}"
        )
    label = f"version {number} of {name!r}"
    with server.refusals(tracking_uri, f"download {label}"):
        _bring(f"models:/{name}/{number}", directory, label)
    digest = versions[number].tags.get(server.DIGEST, "")
    facts = {"resourceName": f"models:/{name}/{number}", "version": number, "digest": digest}
    return True, Found(facts, f"The champion is {label}, at {tracking_uri}.")


def _at_address(champion_uri: str, directory: Path) -> Found:
    from mlflow.exceptions import MlflowException

    # Kubeflow's name for its own store, which speaks S3.
    address = champion_uri.replace("minio://", "s3://", 1)
    label = f"the model at {one_line(champion_uri)}"
    try:
        _bring(address, directory, label)
    except (MlflowException, OSError) as error:
        raise MlflowError(_unreadable(label, error)) from error
    except Exception as error:
        if not server.is_of_store(error):
            raise
        raise MlflowError(_unreadable(label, error)) from error
    try:
        digest = model_digest(directory)
    except DataError:
        digest = ""
    version = digest[:DIGITS] or "0"
    facts = {"resourceName": champion_uri, "version": version, "digest": digest}
    return Found(facts, f"The champion is the model at {champion_uri}, called {version}.")


def _unreadable(label: str, error: Exception) -> str:
    return (
        f"{label} cannot be read ({one_line(error)}); correct champion_uri, or give the step what "
        f"its store needs: {server.STORE}"
    )


def _bring(address: str, directory: Path, label: str) -> None:
    """Downloads a model, and puts the one SavedModel in it into the directory."""
    import mlflow.artifacts

    with tempfile.TemporaryDirectory(prefix="champion-") as scratch:
        with quiet_start():
            mlflow.artifacts.download_artifacts(artifact_uri=address, dst_path=scratch)
        models = sorted(Path(scratch).rglob(SAVED_MODEL))
        if len(models) != 1:
            raise MlflowError(
                f"{label} has {len(models)} files {SAVED_MODEL}, expected one: give another "
                f"champion, {WAY_OUT}"
            )
        shutil.copytree(models[0].parent, directory, dirs_exist_ok=True)
