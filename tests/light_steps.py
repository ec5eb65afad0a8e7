"""The compiled pipeline with quick steps in place of the two that need TensorFlow.

Everything else is what users run: the other steps, the conditions, bucket, cache and registry.
"""

import functools
import json
from pathlib import Path
from typing import Any, Final

from google.protobuf import json_format
from kfp import dsl
from kfp.dsl import HTML, Artifact, ClassificationMetrics, Dataset, Input, Metrics, Model, Output

from components.embedding import BASE_IMAGE
from pipeline.local.run import DEFAULT_SPEC
from pipeline.specs import shared_code
from pipeline.specs import spec as specs
from tests import evaluations

FACTS: Final = "LIGHT_FACTS"
"""The variable that names a file with an evaluation's facts."""
SECONDS: Final = "LIGHT_SECONDS"
"""The variable that says how long an epoch takes."""


@dsl.component(base_image=BASE_IMAGE)
def train(
    train_records: Input[Dataset],
    validation_records: Input[Dataset],
    model: Output[Model],
    history: Output[Artifact],
    train_metrics: Output[Metrics],
    logs: Output[Artifact],
    hyperparameters: dict = {},  # type: ignore[type-arg]  # noqa: B006
    bucket_uri: str = "",
    seed: int = 0,
) -> None:
    """Three epochs, each with a checkpoint from which the next start continues, if in a bucket."""
    import hashlib
    import json
    import os
    import time
    from pathlib import Path

    from components.dataset import bucket, folder, manifest

    made_from = [
        manifest.read_manifest(Path(train_records.path))["files"],
        hyperparameters,
        seed,
    ]
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).digest()
    home = f"{bucket_uri}/checkpoints/{digest.hex()[:16]}"
    for epoch in (1, 2, 3):
        if bucket_uri and bucket.stat(f"{home}/ckpt-{epoch}"):
            print(f"resuming after epoch {epoch}")
            continue
        print(f"epoch {epoch}/3")
        time.sleep(float(os.environ.get("LIGHT_SECONDS", "0.1")))
        Path(f"ckpt-{epoch}").write_bytes(digest * 4096)
        if bucket_uri:
            bucket.upload(Path(f"ckpt-{epoch}"), f"{home}/ckpt-{epoch}", {})
    place = Path(model.path)
    (place / "variables").mkdir(parents=True)
    (place / "saved_model.pb").write_bytes(b"graph")
    (place / "variables" / "variables.data-00000-of-00001").write_bytes(digest * 8192)
    (place / "accuracy").write_text(str(0.6 + digest[0] / 1000))
    description = Path(train_records.path) / "dataset.json"
    (place / description.name).write_bytes(description.read_bytes())
    manifest.write_manifest(place)
    Path(logs.path).mkdir()
    Path(history.path).write_text("{}")
    Path(train_metrics.path).write_text("{}")
    if bucket_uri:
        folder.remove(home)
    model.metadata["validation_accuracy"] = 0.6


@dsl.component(base_image=BASE_IMAGE)
def evaluate(
    model: Input[Model],
    history: Input[Artifact],
    champion: Input[Model],
    test_records: Input[Dataset],
    metrics: Output[Metrics],
    confusion_matrix: Output[ClassificationMetrics],
    report: Output[HTML],
    evaluation: Output[Artifact],
    min_accuracy: float = 0.9,
    min_improvement: float = 0.0,
) -> bool:
    """The verdict of the gate's rules on the accuracy that the quick training made up."""
    import json
    import os
    from pathlib import Path

    from components.dataset import manifest

    def known(place: Artifact) -> tuple[str, float]:
        path = Path(place.path)
        made_up = path / "accuracy"
        accuracy = float(made_up.read_text()) if made_up.exists() else 0.6
        return manifest.content_digest(manifest.read_manifest(path)), accuracy

    digest, accuracy = known(model)
    file = Path(champion.path) / "champion.json"
    version = (json.loads(file.read_text()) if file.is_file() else champion.metadata).get("version")
    before, champion_accuracy = known(champion) if version else ("", 0.0)
    if digest == before:
        reason = f"this model is already version {version}"
    elif accuracy < min_accuracy:
        reason = f"accuracy {accuracy} is below min_accuracy {min_accuracy}"
    elif version and accuracy - champion_accuracy < min_improvement:
        reason = f"accuracy {accuracy} misses min_improvement {min_improvement}"
    else:
        reason = ""
    facts = json.loads(Path(os.environ["LIGHT_FACTS"]).read_text())
    facts |= {"accuracy": accuracy, "model_digest": digest}
    facts["verdict"] |= {"passed": not reason, "reason": reason or "passed"}
    metrics.metadata["accuracy"] = accuracy
    if version:
        metrics.metadata["champion_accuracy"] = champion_accuracy
    evaluation.metadata.update(passed=not reason, reason=reason or "passed")
    Path(evaluation.path).write_text(json.dumps(facts))
    Path(metrics.path).write_text(json.dumps(metrics.metadata))
    Path(confusion_matrix.path).write_text("{}")
    Path(report.path).write_text("<!doctype html>")
    return not reason


@functools.cache
def light_spec(
    committed: Path = DEFAULT_SPEC, swapped: tuple[str, ...] = ("train", "evaluate")
) -> specs.Spec:
    """A compiled pipeline with quick steps, which need the variables of ``environment``.

    The other steps share their code as before.
    """
    steps = {"train": train, "evaluate": evaluate}
    quick = {f"exec-{name}": container_of(steps[name]) for name in swapped}
    spec = specs.load(committed)
    separate = shared_code.separate(spec)
    light = specs.map_containers(separate, lambda label, own: quick.get(label) or own)
    return light if separate is spec else shared_code.share(light)


def container_of(component: Any) -> specs.Spec:
    spec = json_format.MessageToDict(component.pipeline_spec)
    (executor,) = spec["deploymentSpec"]["executors"].values()
    container: specs.Spec = executor["container"]
    return container


def environment(folder: Path) -> dict[str, str]:
    """The variables that the quick steps need."""
    facts = folder / "facts.json"
    if not facts.exists():
        facts.write_text(json.dumps(evaluations.evaluation(per_class=10)))
    return {FACTS: str(facts)}
