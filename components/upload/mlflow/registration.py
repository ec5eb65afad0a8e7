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
from components.upload.mlflow import image_classifier_pyfunc, inference_service, server

VERSION_FOLDER: Final = "1"
"""TensorFlow Serving serves the numbered folders of a directory."""
LONGEST: Final = 500
"""Characters of a parameter's value that MLflow's older servers take."""
TEST: Final = ("accuracy", "loss")
"""Figures of the training whose names are also a test's."""
LOOKS: Final = 5
"""How often the alias is looked at, while other uploads move it."""

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
    server.prepare(tracking_uri)
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
        champion = _promote(client, model_name, int(number))
    place = f"version {number} of {model_name!r} at {tracking_uri}"
    log.info("The model is %s; the champion is version %s.", place, champion)
    return {**facts, "resourceName": f"models:/{model_name}/{number}", "version": number}


def _version_of(client: Any, name: str, run_id: str) -> str:
    """The version that an earlier start of the same step made; empty without one."""
    for version in server.versions(client, name):
        if version.tags.get(server.RUN) == run_id:
            return str(version.version)
    return ""


def _promote(client: Any, name: str, number: int) -> int:
    """Gives the alias to the newest version of an upload, also if another one ends now."""
    champion = 0
    for _ in range(LOOKS):
        made = (one for one in server.versions(client, name) if server.RUN in one.tags)
        newest = max([number, *(int(one.version) for one in made)])
        champion = int(client.get_registered_model(name).aliases.get(server.ALIAS, 0))
        if champion >= newest:
            break
        client.set_registered_model_alias(name, server.ALIAS, str(newest))
    return champion


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
    tags = {server.RUN: run_id, "verified": str(found["verified"])}
    tags |= {key: found[key] for key in ("dataset", "git_revision", "pipeline") if found[key]}
    tags |= {f"{key}_digest": _short(value) for key, value in found["digests"].items() if value}
    text = provenance.description(scores, run_id=run_id, **origin)
    with mlflow.start_run(run_name=run_id, description=text, tags=tags) as run:
        mlflow.log_params({key: _short(value) for key, value in found["parameters"].items()})
        description = Description.read(served / VERSION_FOLDER)
        logged = image_classifier_pyfunc.log_model(served, description, found)
        mlflow.log_metrics(found["metrics"], model_id=logged.model_id)
        client.log_batch(run.info.run_id, metrics=_curve(scores["epochs"]))
        with tempfile.TemporaryDirectory(prefix="report-") as scratch:
            shutil.copy(report, Path(scratch, "report.html"))
            Path(scratch, "evaluation.json").write_text(json.dumps(scores))
            mlflow.log_artifacts(scratch)
    tags["accuracy"] = f"{scores['accuracy']:.4f}"
    version = mlflow.register_model(logged.model_uri, name, tags=tags)
    client.update_model_version(name, version.version, text)
    return str(version.version)


def _short(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value))[:LONGEST]


def _curve(epochs: list[dict[str, Any]]) -> list[Any]:
    """The learning curve; ``accuracy`` and ``loss`` by themselves are of the test examples."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [
        Metric(f"train_{name}" if name in TEST else name, float(value), now, row["epoch"])
        for row in epochs
        for name, value in row.items()
        if name != "epoch" and isinstance(value, int | float)
    ]
