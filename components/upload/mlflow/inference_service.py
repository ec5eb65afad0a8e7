"""The manifest with which KServe serves a model."""

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml

RUNTIME: Final = "2.15.1"
"""TensorFlow Serving's version: an old one with which models are tested to answer the same."""
ABOUT: Final = (
    "# kubectl apply -f FILE, in a namespace where KServe may read the address: the account\n"
    "# needs a secret for it, with the annotation serving.kserve.io/s3-endpoint where the\n"
    "# store is not Amazon's.\n"
)
NAME_LENGTH: Final = 40
"""Characters of the name: KServe adds to it, and a host's name has 63."""


def text(model_name: str, served_uri: str, scores: Mapping[str, Any]) -> str:
    """The YAML of an ``InferenceService`` for a directory that has the model as ``1/``."""
    annotations = {
        "fashion-mnist/accuracy": f"{scores['accuracy']:.4f}",
        "fashion-mnist/dataset": scores["dataset"]["name"],
        "fashion-mnist/model-digest": scores["model_digest"],
    }
    model = {
        "modelFormat": {"name": "tensorflow"},
        "runtimeVersion": RUNTIME,
        "storageUri": served_uri.replace("minio://", "s3://", 1),
    }
    manifest = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": _name(model_name), "annotations": annotations},
        "spec": {"predictor": {"model": model}},
    }
    # Without quotes, kubectl would take some names of data for numbers.
    body = yaml.safe_dump(manifest, default_style='"', sort_keys=False, allow_unicode=True)
    return ABOUT + body


def _name(model_name: str) -> str:
    """A name that Kubernetes takes: a letter first, then letters, digits and dashes."""
    words = re.sub(r"[^a-z0-9]+", "-", model_name.lower()).strip("-")
    words = words if re.match("[a-z]", words) else f"model-{words}"
    return words[:NAME_LENGTH].strip("-")
