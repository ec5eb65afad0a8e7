"""What the steps would refuse, found before anything starts, with the steps' own checks."""

from collections.abc import Mapping
from typing import Any, Final

from components.dataset.errors import ParameterError, StepError
from components.evaluate import gate
from components.ingest.fashion_mnist import DESCRIPTION, TRAINING_EXAMPLES_OF_A_CLASS
from components.ingest.sources import check_address
from components.train.trainer.hyperparameters import SEED, Hyperparameters
from components.upload.containers import STOCK, check_image
from components.upload.mlflow import server as mlflow
from components.upload.registry_lookup import NO_ALIAS, check_names
from pipeline.errors import UsageError
from pipeline.specs import worker_pools
from pipeline.specs.spec import Spec, declared, has_all_steps
from pipeline.text import printable

STRUCT: Final = "hyperparameters"


def check(arguments: dict[str, Any], spec: Spec) -> dict[str, Any]:
    """The arguments, if the steps would take them; hyperparameters in their own types.

    Those of a pipeline without these steps are returned unchanged: what has the same name there
    means something else.

    Raises:
        UsageError: A value is out of range, a text is not Unicode, or a source holds credentials,
            which are not repeated: parameters are kept in plain text.
    """
    check_texts(arguments)
    if not has_all_steps(spec):
        return arguments
    defaults = {name: one.get("defaultValue") for name, one in declared(spec).items()}
    changed = {name: value for name, value in arguments.items() if value != defaults.get(name)}
    try:
        for step in (_ingest, _train, _find_champion, _evaluate, _upload):
            step(**arguments)
        # It imports NumPy, which the defaults are not worth.
        _decode(**changed)
        if STRUCT not in arguments:
            return arguments
        struct = _hyperparameters(arguments[STRUCT])
    except StepError as error:
        raise UsageError(str(error)) from error
    shares = worker_pools.shares(spec)
    if (size := struct.get("batch_size", 0)) % shares:
        raise UsageError(f"batch_size is {size}: the machines need a multiple of {shares}")
    return {**arguments, STRUCT: struct}


def check_texts(values: Mapping[str, Any]) -> None:
    """Refuses a text with bytes that are not UTF-8, as a file name on Linux may have them.

    Raises:
        UsageError: A value is such a text.
    """
    for name, value in values.items():
        if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
            raise UsageError(f"{name}={printable(value)} is not UTF-8; rename it")


def _ingest(
    *,
    source: str = "",
    dataset: Mapping[str, Any] | None = None,
    allow_unverified: bool = False,
    **_: Any,
) -> None:
    check_address(source)
    if dataset:
        from components.ingest.landing import check_dataset

        check_dataset(dataset, allow_unverified)
        if not source and dataset.get("digests") != dict(DESCRIPTION.digests):
            raise ParameterError(
                f"dataset describes {dataset['name']}: give the source of its files"
            )


def _decode(
    *,
    shards: int = 1,
    validation_examples: int = 0,
    source: str = "",
    dataset: Mapping[str, Any] | None = None,
    allow_unverified: bool = False,
    **_: Any,
) -> None:
    if (shards, validation_examples) == (1, 0):
        return
    import numpy as np

    from components.dataset.split import allocate
    from components.decode.conversion import check_shards

    check_shards(shards)
    if validation_examples < -1:
        raise ParameterError(
            f"validation_examples is {validation_examples}, expected 0 or more, or -1"
        )
    if source or dataset or allow_unverified:
        # How many examples other data has is known when it is there.
        return
    classes = DESCRIPTION.classes
    labels = np.repeat(np.arange(len(classes), dtype=np.uint8), TRAINING_EXAMPLES_OF_A_CLASS)
    allocate(labels, classes, max(validation_examples, 0))


def _train(*, seed: int = 0, **_: Any) -> None:
    SEED.check("seed", seed, 0)


def _find_champion(
    *,
    model_name: str = "any",
    champion_alias: str = NO_ALIAS,
    tracking_uri: str | None = None,
    champion_uri: str = "",
    **_: Any,
) -> None:
    if tracking_uri is None:
        check_names(model_name, champion_alias)
    else:
        mlflow.check_names(model_name, champion_alias)
        mlflow.check_address(tracking_uri)
        mlflow.check_champion_uri(champion_uri, tracking_uri)


def _evaluate(**thresholds: Any) -> None:
    gate.check({name: thresholds[name] for name in gate.RULES if name in thresholds})


def _upload(*, serving_image: str = STOCK, **_: Any) -> None:
    check_image(serving_image)


def _hyperparameters(struct: Mapping[str, Any]) -> dict[str, Any]:
    """The struct's values, checked; a spec of another version may have more or fewer."""
    own = Hyperparameters().as_dict()
    checked = Hyperparameters.of({name: struct[name] for name in struct if name in own}).as_dict()
    return {name: checked.get(name, value) for name, value in struct.items()}
