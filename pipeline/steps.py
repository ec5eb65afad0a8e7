"""The one table of the pipeline's steps.

Compile targets, titles, the live table, the notebook, the documents and the pins of each step
follow from it. A pipeline with a task outside these steps does not compile.
"""

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from pipeline.errors import UsageError

Outputs = Mapping[str, Any]
"""Artifacts (with ``uri`` and ``metadata``) and values of one step by name."""


@dataclasses.dataclass(frozen=True)
class Step:
    """A step of the pipeline.

    Attributes:
        name: Its component's function, its file in ``compiled/components/`` and its pins.
        title: What people see.
        module: Where the component is.
        packages: What it needs at run time; ``make lock`` pins them in full.
        figure: The figure shown next to it, from the step's outputs.
    """

    name: str
    title: str
    module: str
    packages: tuple[str, ...]
    figure: Callable[[Outputs], str]

    @property
    def component(self) -> Any:
        """The KFP component; imports its module."""
        return getattr(importlib.import_module(self.module), self.name)


def _ingest(outputs: Outputs) -> str:
    metadata = outputs["raw"].metadata
    examples = metadata["examples"]
    verified = "verified" if metadata["verified"] else "not verified"
    return f"{examples['train']:,.0f} + {examples['test']:,.0f} images, {verified}"


def _decode(outputs: Outputs) -> str:
    splits = (outputs[f"{split}_records"] for split in ("train", "validation", "test"))
    return " + ".join(f"{split.metadata['examples']:,.0f}" for split in splits) + " records"


def _train(outputs: Outputs) -> str:
    accuracy = outputs["model"].metadata.get("validation_accuracy")
    return "trained" if accuracy is None else f"validation accuracy {accuracy:.4f}"


def _find_champion(outputs: Outputs) -> str:
    version = outputs["champion"].metadata.get("version")
    return f"champion is version {version}" if version else "no champion yet"


def _evaluate(outputs: Outputs) -> str:
    return f"test accuracy {outputs['metrics'].metadata['accuracy']:.4f}"


def _upload(outputs: Outputs) -> str:
    uploaded = uploaded_model(outputs)
    if uploaded is None:
        return ""
    version = version_of(uploaded.metadata.get("resourceName", ""))
    return f"version {version}" if version else "an artifact of the run"


def uploaded_model(outputs: Outputs) -> Any:
    """What the upload made: a resource of the Model Registry, or the model that is served."""
    return outputs.get("model") or outputs.get("served_model")


def version_of(resource_name: str) -> str:
    """The version of ``projects/…/models/NAME@VERSION`` or ``models:/NAME/VERSION``, or empty."""
    mark = "/" if resource_name.startswith(MLFLOW_MODELS) else "@"
    return resource_name.rpartition(mark)[2] if mark in resource_name else ""


MLFLOW_MODELS: Final = "models:/"
"""How the names of MLflow's registry begin."""
MLFLOW: Final = ("boto3", "google-cloud-storage", "kubernetes", "mlflow-skinny")
STORAGE: Final = ("google-cloud-storage", "google-crc32c")
TENSORFLOW: Final = ("keras", "numpy", "tensorflow")

STEPS: Final = (
    Step(
        "ingest",
        "Ingest",
        "components.ingest.component",
        (*STORAGE, "requests", "tenacity"),
        _ingest,
    ),
    Step("decode", "Decode", "components.decode.component", (*STORAGE, "numpy"), _decode),
    Step("train", "Train", "components.train.component", (*STORAGE, *TENSORFLOW), _train),
    Step(
        "find_champion",
        "Find champion",
        "components.upload.find_champion",
        ("google-cloud-aiplatform", "google-cloud-pipeline-components", "google-cloud-storage"),
        _find_champion,
    ),
    Step(
        "evaluate",
        "Evaluate",
        "components.evaluate.component",
        ("google-cloud-storage", *TENSORFLOW, "jinja2", "pillow"),
        _evaluate,
    ),
    Step(
        "upload",
        "Upload",
        "components.upload.component",
        ("google-cloud-pipeline-components",),
        _upload,
    ),
)
"""In the order in which the pipeline runs them."""
VARIANTS: Final = {
    "train_cuda": (*STORAGE, *TENSORFLOW),
    "find_champion_mlflow": MLFLOW,
    "upload_mlflow": (*MLFLOW, "numpy", "pandas"),
}
"""What steps need whose component is another one than the table's, by the name of their pins."""


def step(name: str) -> Step:
    """The step of a name, with underscores, dashes or spaces.

    Raises:
        UsageError: There is none; the error lists those that exist.
    """
    wanted = name.replace("-", "_").replace(" ", "_").lower()
    for one in STEPS:
        if one.name == wanted:
            return one
    raise UsageError(f"there is no step {name!r}; the steps are {', '.join(s.name for s in STEPS)}")
