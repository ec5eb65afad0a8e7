"""A model's evaluation in the form in which Vertex AI's Model Registry takes it.

The schema is Google's ``classification_metrics_1.0.0``, in which every field is optional. The areas
under the curves are left out, since the evaluation does not hold them.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any, Final

from components.upload.provenance import plain

PROBLEM_TYPE: Final = "classification"
NAME_LENGTH: Final = 128
"""Characters of a display name: Vertex AI's rule."""
NO_EXPLANATION: Final = {"explanation_gcs_path": ""}
"""Metadata of the artifact; the import reads it, and what an unset key becomes is not defined."""


def display_name(evaluation: Mapping[str, Any]) -> str:
    """What the registry calls the evaluation: by the name of its data, at most 128 characters."""
    end = " test set"
    return plain(evaluation["dataset"]["name"])[: NAME_LENGTH - len(end)] + end


def sliced_metrics(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """What ``ModelImportEvaluationOp`` reads: the metrics of all examples, without slices."""
    metrics = classification_metrics(evaluation)
    return {"slicedMetrics": [{"singleOutputSlicingSpec": {}, "metrics": {PROBLEM_TYPE: metrics}}]}


def classification_metrics(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Loss, confusion matrix, and precision and recall by confidence, micro-averaged."""
    names = evaluation["class_names"]
    return {
        "logLoss": evaluation["loss"],
        "confidenceMetrics": list(confidence_metrics(evaluation)),
        "confusionMatrix": {
            "annotationSpecs": [
                {"id": str(label), "displayName": name} for label, name in enumerate(names)
            ],
            "rows": evaluation["confusion_matrix"],
        },
    }


def confidence_metrics(evaluation: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Figures of the predictions that are at least so confident, a threshold after another.

    The thresholds are where the calibration's bins begin. The first is 0, where every prediction
    counts and precision and recall are the accuracy.
    """
    positives = evaluation["examples"]
    negatives = positives * (len(evaluation["class_names"]) - 1)
    bins = evaluation["calibration"][::-1]
    given = accumulate(entry["examples"] for entry in bins)
    right = accumulate(round(entry["examples"] * (entry["accuracy"] or 0.0)) for entry in bins)
    counts = zip([entry["low"] for entry in bins], given, right, strict=True)
    for threshold, claimed, hits in sorted(counts):
        if claimed:
            f1 = 2 * hits / (claimed + positives)
            yield {
                "confidenceThreshold": threshold,
                "maxPredictions": 1,
                "precision": hits / claimed,
                "recall": hits / positives,
                "f1Score": f1,
                "f1ScoreMicro": f1,
                "falsePositiveRate": (claimed - hits) / negatives,
                "truePositiveCount": hits,
                "falsePositiveCount": claimed - hits,
                "falseNegativeCount": positives - hits,
                "trueNegativeCount": negatives - (claimed - hits),
                **({} if threshold else {"f1ScoreMacro": evaluation["macro_f1"]}),
            }
