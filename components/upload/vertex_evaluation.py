"""A model's evaluation in the form in which Vertex AI's Model Registry takes it.

The schema is Google's ``classification_metrics_1.0.0``. What it asks for and the evaluation does
not hold (the areas under the curves) is left out: every field of the schema is optional.
"""

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Any, Final

PROBLEM_TYPE: Final = "classification"
DISPLAY_NAME: Final = "FashionMNIST test set"
NO_EXPLANATION: Final = {"explanation_gcs_path": ""}
"""Metadata of the artifact; the import reads it, and what an unset key becomes is not defined."""
BEST_ALONE: Final = 1
"""The model gives one class, the most probable."""


def sliced_metrics(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """The content of the artifact that ``ModelImportEvaluationOp`` reads: all examples, no slices.

    Args:
        evaluation: As the step ``evaluate`` wrote it.
    """
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

    They come from the bins of the calibration, so the thresholds are those of the bins; the
    first is 0, where every prediction counts and precision and recall are the accuracy.
    """
    examples, classes = evaluation["examples"], len(evaluation["class_names"])
    bins = evaluation["calibration"][::-1]
    given = accumulate(entry["examples"] for entry in bins)
    right = accumulate(round(entry["examples"] * (entry["accuracy"] or 0.0)) for entry in bins)
    counts = zip([entry["low"] for entry in bins], given, right, strict=True)
    for threshold, claimed, hits in sorted(counts):
        if claimed:
            figures = _figures(claimed, hits, examples, examples * (classes - 1))
            if threshold == 0:
                figures["f1ScoreMacro"] = evaluation["macro_f1"]
            yield {"confidenceThreshold": threshold, "maxPredictions": BEST_ALONE, **figures}


def _figures(claimed: int, hits: int, positives: int, negatives: int) -> dict[str, float]:
    precision, recall = hits / claimed, hits / positives
    f1 = 2 * hits / (claimed + positives)
    false_rate = (claimed - hits) / negatives
    return {
        "precision": precision,
        "recall": recall,
        "f1Score": f1,
        "f1ScoreMicro": f1,
        "falsePositiveRate": false_rate,
        "precisionAt1": precision,
        "recallAt1": recall,
        "f1ScoreAt1": f1,
        "falsePositiveRateAt1": false_rate,
        "truePositiveCount": hits,
        "falsePositiveCount": claimed - hits,
        "falseNegativeCount": positives - hits,
        "trueNegativeCount": negatives - (claimed - hits),
    }
