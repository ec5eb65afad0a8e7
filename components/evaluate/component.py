"""The step that scores a model and decides whether it is good enough."""

from kfp.dsl import HTML, Artifact, ClassificationMetrics, Dataset, Input, Metrics, Model, Output

from components.embedding import step


@step()
def evaluate(
    model: Input[Model],
    history: Input[Artifact],
    champion: Input[Model],
    test_records: Input[Dataset],
    metrics: Output[Metrics],
    confusion_matrix: Output[ClassificationMetrics],
    report: Output[HTML],
    evaluation: Output[Artifact],
    min_accuracy: float = 0.90,
    min_improvement: float = 0.0,
    min_recall: float = 0.0,
) -> bool:
    """Scores challenger and champion on the same test records and decides.

    Args:
        model: The challenger's SavedModel.
        history: JSON of its training: an entry per epoch, parameters, versions.
        champion: The version to beat; without ``version`` in its ``champion.json``, or in its
            metadata where there is no such file, there is none.
        test_records: The test split as TFRecord shards, with the description of the data.
        metrics: accuracy, loss, macro_f1, and champion_accuracy when there is a champion.
        confusion_matrix: Counts by label and prediction, with class names; as metadata for at most
            100 classes.
        report: One self-contained page for a person.
        evaluation: JSON of all figures and of the examples that the report shows; passed and
            reason as metadata.
        min_accuracy: Test accuracy below which no model passes, 0 to 1.
        min_improvement: By how much the accuracy must exceed the champion's, -1 to 1.
        min_recall: Recall of the worst class below which no model passes, 0 to 1; 0: off.

    Returns:
        Whether the challenger is good enough to be uploaded.
    """
    import json
    import logging
    from pathlib import Path

    from components.evaluate import assessment, gate
    from components.evaluate import report as page

    found = assessment.assess(
        model=Path(model.path),
        history=Path(history.path),
        champion=Path(champion.path),
        champion_facts=assessment.champion_facts(Path(champion.path), champion.metadata),
        test_records=Path(test_records.path),
        thresholds={
            "min_accuracy": min_accuracy,
            "min_improvement": min_improvement,
            "min_recall": min_recall,
        },
    )
    figures = {name: found[name] for name in ("accuracy", "loss", "macro_f1")}
    if found["champion"]:
        figures["champion_accuracy"] = found["champion"]["accuracy"]
    passed, reason = bool(found["verdict"]["passed"]), gate.sentence(found["verdict"])
    classes, matrix = found["class_names"], found["confusion_matrix"]
    if len(classes) <= assessment.MOST_IN_METADATA:
        confusion_matrix.log_confusion_matrix(classes, matrix)
    metrics.metadata.update(figures)
    evaluation.metadata.update(passed=passed, reason=reason)
    Path(metrics.path).write_text(json.dumps(figures))
    Path(confusion_matrix.path).write_text(json.dumps({"class_names": classes, "matrix": matrix}))
    Path(evaluation.path).write_text(json.dumps(found, indent=1, allow_nan=False))
    Path(report.path).write_text(page.render(found), encoding="utf-8")
    logging.getLogger(__name__).info(reason)
    return passed
