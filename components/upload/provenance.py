"""What a version in the registry says about itself: labels, aliases, description, provenance."""

import re
from collections.abc import Mapping
from typing import Any, Final

LABEL_LENGTH: Final = 63
"""Characters of a label's value, of ``[a-z0-9_-]``: Google Cloud's rule for labels."""
ALIAS_LENGTH: Final = 128
"""Characters of a version alias, ``[a-z][a-zA-Z0-9-]{0,126}[a-z0-9]``: Vertex AI's rule."""
DIGEST_LENGTH: Final = 40
"""Hexadecimal digits of the model's content digest in the label ``model_digest``."""
DEFAULT_ALIAS: Final = "default"


def labels(
    evaluation: Mapping[str, Any], *, pipeline_name: str, git_revision: str
) -> dict[str, str]:
    """Labels of the version, valid by Google Cloud's rules: an accuracy of 0.9365 is ``0_9365``."""
    values = {
        "pipeline": pipeline_name,
        "dataset": evaluation["dataset"]["name"],
        "accuracy": f"{evaluation['accuracy']:.4f}",
        "model_digest": str(evaluation["model_digest"])[:DIGEST_LENGTH],
        "git_revision": git_revision,
    }
    return {
        key: re.sub(r"[^a-z0-9_-]", "_", value.lower())[:LABEL_LENGTH]
        for key, value in values.items()
        if value
    }


def run_alias(run_id: str) -> str:
    """An alias for the run that is valid by Vertex AI's rule and keeps the end of a long id."""
    text = re.sub(r"[^a-z0-9-]+", "-", run_id.lower()).strip("-")
    if not re.match("[a-z].", text) or text == DEFAULT_ALIAS:
        text = f"run-{text}".rstrip("-")
    if len(text) > ALIAS_LENGTH:
        text = f"run-{text[4 - ALIAS_LENGTH :].lstrip('-')}"
    return text


def description(
    evaluation: Mapping[str, Any], *, pipeline_name: str, git_revision: str, run_id: str
) -> str:
    """One line about the version, which Google's upload op can put into its JSON unescaped."""
    text = (
        f"Test accuracy {evaluation['accuracy']:.4f}, loss {evaluation['loss']:.4f} "
        f"on {evaluation['examples']} examples"
    )
    if champion := evaluation.get("champion"):
        text += f"; version {champion['version']} had {champion['accuracy']:.4f}"
    text += f". Pipeline {pipeline_name}, run {run_id}"
    if git_revision:
        text += f", revision {git_revision}"
    return plain(f"{text}.")


def provenance(
    evaluation: Mapping[str, Any], *, pipeline_name: str, git_revision: str, run_id: str
) -> dict[str, Any]:
    """Where the version comes from: metrics, digests, parameters, packages, run; small JSON."""
    training, data = evaluation.get("training", {}), evaluation["dataset"]
    records = training.get("data", {})
    return {
        "pipeline": pipeline_name,
        "run": plain(run_id),
        "git_revision": plain(git_revision),
        "dataset": plain(data["name"]),
        "metrics": {
            name: evaluation[name] for name in ("accuracy", "loss", "macro_f1", "examples")
        },
        "digests": {
            "model": evaluation["model_digest"],
            "raw": data["digests"],
            "train_records": records.get("train", ""),
            "validation_records": records.get("validation", ""),
            "test_records": data["test_records"],
            "code": training.get("code_digest", ""),
        },
        "verified": data["verified"],
        "parameters": training.get("parameters", {}),
        "versions": training.get("versions", {}),
    }


def plain(text: str) -> str:
    """Spaces for what JSON would escape and for ``${}``, which launchers take for placeholders."""
    return re.sub(r'["\\${}\x00-\x1f\x7f]+', " ", text)
