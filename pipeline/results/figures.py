"""The figure that matters of each step, read from what the step left behind.

They come from the artifacts and not from logs, so a step that was answered from the cache shows
the same figure as one that ran.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final


def figure(name: str, outputs: Mapping[str, Any]) -> str:
    """What to show in a step's row; empty where the step is not one of the pipeline's own.

    Args:
        name: The step's component name.
        outputs: Its artifacts and parameters by name, as kfp.local returns them.
    """
    describe = FIGURES.get(name)
    return describe(outputs) if describe else ""


def _ingest(outputs: Mapping[str, Any]) -> str:
    facts = outputs["raw"].metadata
    examples = facts["examples"]
    verified = "verified" if facts["verified"] else "not verified"
    return f"{examples['train']:,.0f} + {examples['test']:,.0f} images, {verified}"


def _decode(outputs: Mapping[str, Any]) -> str:
    counts = [
        outputs[f"{split}_records"].metadata["examples"]
        for split in ("train", "validation", "test")
    ]
    return " + ".join(f"{count:,.0f}" for count in counts) + " records"


def _train(outputs: Mapping[str, Any]) -> str:
    accuracy = outputs["model"].metadata.get("validation_accuracy")
    return "trained" if accuracy is None else f"validation accuracy {accuracy:.4f}"


def _find_champion(outputs: Mapping[str, Any]) -> str:
    version = outputs["champion"].metadata.get("version")
    return f"champion is version {version}" if version else "no champion yet"


def _evaluate(outputs: Mapping[str, Any]) -> str:
    return f"test accuracy {outputs['metrics'].metadata['accuracy']:.4f}"


def _upload(outputs: Mapping[str, Any]) -> str:
    return f"version {version_of(outputs['model'].metadata['resourceName'])}"


def version_of(resource_name: str) -> str:
    """The version at the end of ``projects/…/models/NAME@VERSION``; empty when it names none."""
    return resource_name.partition("@")[2]


FIGURES: Final[dict[str, Callable[[Mapping[str, Any]], str]]] = {
    "ingest": _ingest,
    "decode": _decode,
    "train": _train,
    "find-champion": _find_champion,
    "evaluate": _evaluate,
    "model-upload": _upload,
    "model-upload-2": _upload,
}
