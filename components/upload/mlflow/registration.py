"""Puts a model where TensorFlow Serving finds it, and into MLflow's registry."""

import json
import logging
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from components.dataset.description import Description
from components.dataset.errors import DataError
from components.dataset.startup import quiet_start
from components.upload import provenance
from components.upload.mlflow import inference_service, loader, server

VERSION_FOLDER: Final = "1"
"""TensorFlow Serving serves the numbered folders of a directory."""
LONGEST: Final = 500
"""Characters of a parameter's value that MLflow's older servers take."""

log = logging.getLogger(__name__)


def register(
    model: Path,
    evaluation: Path,
    report: Path,
    served: Path,
    served_uri: str,
    manifest: Path,
    *,
    model_name: str,
    tracking_uri: str,
    git_revision: str,
    run_id: str,
) -> dict[str, Any]:
    """Copies the model, writes the manifest, and makes a version if there is a server.

    Returns:
        The metadata of the served model: digest and accuracy, and with a server resourceName and
        version.

    Raises:
        DataError: The evaluation is of an earlier version.
        ParameterError: The name or the address cannot be.
        MlflowError: The server refuses or does not answer. A version without the alias may be
            there; the same run finds it.
    """
    server.check_names(model_name, server.ALIAS)
    server.check_address(tracking_uri)
    scores = json.loads(evaluation.read_text())
    if "dataset" not in scores:
        raise DataError("the evaluation is of an earlier version; run the pipeline again")
    shutil.copytree(model, served / VERSION_FOLDER)
    manifest.write_text(inference_service.text(model_name, served_uri, scores))
    facts = {"digest": scores["model_digest"], "accuracy": scores["accuracy"]}
    if not tracking_uri:
        log.info("There is no registry; the model is the artifact %s.", served_uri)
        return facts
    origin = {"pipeline_name": "fashion-mnist", "git_revision": git_revision}
    with server.refusals(tracking_uri, f"register the model {model_name!r}"), quiet_start():
        client = server.connect(tracking_uri)
        number = _version_of(client, model_name, run_id)
        if not number:
            number = _new_version(client, served, scores, report, model_name, run_id, origin)
        # Last, so that a half-made version is never the champion.
        client.set_registered_model_alias(model_name, server.ALIAS, number)
    log.info("Version %s of %r at %s is the champion now.", number, model_name, tracking_uri)
    return {**facts, "resourceName": f"models:/{model_name}/{number}", "version": number}


def _version_of(client: Any, name: str, run_id: str) -> str:
    """The version that an earlier start of the same step made; empty without one."""
    quoted = name.replace("'", "\\'")
    for version in client.search_model_versions(f"name='{quoted}'"):
        if version.tags.get(server.RUN) == run_id:
            return str(version.version)
    return ""


def _new_version(
    client: Any,
    served: Path,
    scores: Mapping[str, Any],
    report: Path,
    name: str,
    run_id: str,
    origin: Mapping[str, str],
) -> str:
    import mlflow

    mlflow.set_experiment(name)
    found = provenance.provenance(scores, run_id=run_id, **origin)
    tags = {server.RUN: run_id, **_flat(found, "digests", "metrics", "parameters", "versions")}
    tags |= {f"digest_{key}": _short(value) for key, value in found["digests"].items()}
    text = provenance.description(scores, run_id=run_id, **origin)
    with mlflow.start_run(run_name=run_id, description=text, tags=tags) as run:
        mlflow.log_params({key: _short(value) for key, value in found["parameters"].items()})
        mlflow.log_metrics(found["metrics"])
        client.log_batch(run.info.run_id, metrics=_curve(scores["epochs"]))
        with tempfile.TemporaryDirectory(prefix="report-") as scratch:
            shutil.copy(report, Path(scratch, "report.html"))
            Path(scratch, "evaluation.json").write_text(json.dumps(scores))
            mlflow.log_artifacts(scratch)
        logged = loader.log_model(served, Description.read(served / VERSION_FOLDER), found)
    version = mlflow.register_model(
        logged.model_uri, name, tags={**tags, server.DIGEST: scores["model_digest"]}
    )
    client.update_model_version(name, version.version, text)
    return str(version.version)


def _flat(found: Mapping[str, Any], *without: str) -> dict[str, str]:
    return {key: str(value) for key, value in found.items() if key not in without and value != ""}


def _short(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value))[:LONGEST]


def _curve(epochs: list[dict[str, Any]]) -> list[Any]:
    """The learning curve: a figure's value at each epoch."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [
        Metric(name, float(value), now, row["epoch"])
        for row in epochs
        for name, value in row.items()
        if name != "epoch" and isinstance(value, int | float)
    ]
