"""The pipeline: six steps from the raw files to a new version in the model registry."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, Final

from kfp import dsl
from kfp.dsl.base_component import BaseComponent

from components.decode.component import decode
from components.evaluate.component import evaluate
from components.ingest.component import ingest
from components.train.trainer.hyperparameters import Hyperparameters
from pipeline.places import KUBEFLOW, VERTEX, Own, Place

NAME: Final = "fashion-mnist"
DESCRIPTION: Final = (
    "Train an image classifier, on FashionMNIST or other pictures, and upload it when it is good."
)
HYPERPARAMETERS: Final = Hyperparameters().as_dict()
RETRY: Final = {"num_retries": 2, "backoff_duration": "10s", "backoff_factor": 2}


def pipeline_at(place: Place) -> BaseComponent:
    """The pipeline with what is a place's own."""

    @dsl.pipeline(name=NAME, description=DESCRIPTION)
    @_with_parameters_of(place.parameters)
    def fashion_mnist(  # noqa: D417 - `own` is documented at the place
        own: Own,
        source: str = "",
        dataset: dict[str, Any] = {},  # noqa: B006
        allow_unverified: bool = False,
        shards: int = 8,
        validation_examples: int = -1,
        seed: int = 0,
        hyperparameters: dict[str, Any] = HYPERPARAMETERS,
        min_accuracy: float = 0.90,
        min_improvement: float = 0.0,
        min_recall: float = 0.0,
        model_name: str = NAME,
        git_revision: str = "",
    ) -> None:
        """FashionMNIST, or other pictures, from their source to the model registry.

        1. Ingest: the four files of the data set, verified.
        2. Decode: training, validation and test examples as TFRecord shards.
        3. Train: a convolutional network on the training examples.
        4. Find champion: the version of the model that the registry serves today.
        5. Evaluate: challenger and champion on the same test examples; the verdict.
        6. Upload, if the verdict is good: the model as a new version.

        Args:
            source: A directory (also as ``file:///…``), an ``http(s)://`` address or a ``gs://``
                prefix with the four files; empty: the system's dataset package, the project's
                ``data/``, the public mirrors. An address with a password or a signature is
                refused, since parameters are stored as plain text: put a mirror's password into
                ``~/.netrc``.
            dataset: What the data are: ``name``, ``classes``, ``height``, ``width``, ``digests``;
                empty: the ``dataset.json`` beside the files, else FashionMNIST.
            allow_unverified: Accept files without digests; recorded in the data's description.
            shards: TFRecord files of each split.
            validation_examples: Examples set aside from the training split, evenly by class; -1:
                one of twelve; 0: train without a validation.
            seed: Seeds the split, the shuffling and the training.
            hyperparameters: Values of the hyperparameters; names that are left out keep their
                defaults.
            min_accuracy: Test accuracy below which no model is uploaded.
            min_improvement: By how much the challenger's test accuracy must exceed the champion's.
            min_recall: Recall of the worst class below which no model is uploaded; 0: off.
            model_name: Display name in the model registry.
            git_revision: Revision of the code; a label of the uploaded version.
        """
        raw = ingest(
            source=source,
            bucket_uri=own.get("bucket_uri", ""),
            dataset=dataset,
            allow_unverified=allow_unverified,
        ).set_retry(**RETRY)
        records = decode(
            raw=raw.outputs["raw"],
            shards=shards,
            validation_examples=validation_examples,
            seed=seed,
        )
        challenger = place.train(
            own=own,
            train_records=records.outputs["train_records"],
            validation_records=records.outputs["validation_records"],
            seed=seed,
            hyperparameters=hyperparameters,
        )
        champion = (
            place.find_champion(own=own, model_name=model_name)
            .set_caching_options(False)
            .set_retry(**RETRY)
        )
        verdict = evaluate(
            model=challenger.outputs["model"],
            history=challenger.outputs["history"],
            champion=champion.outputs["champion"],
            test_records=records.outputs["test_records"],
            min_accuracy=min_accuracy,
            min_improvement=min_improvement,
            min_recall=min_recall,
        )
        with dsl.If(verdict.outputs["Output"] == True, name="good enough"):  # noqa: E712
            place.upload(
                own=own,
                champion=champion,
                model=challenger.outputs["model"],
                evaluation=verdict.outputs["evaluation"],
                report=verdict.outputs["report"],
                model_name=model_name,
                git_revision=git_revision,
            )

    return fashion_mnist


def _with_parameters_of(place: Callable[..., None]) -> Callable[..., Callable[..., None]]:
    """Gives a pipeline another function's parameters and their documentation in place of ``own``.

    KFP reads both from the function.
    """

    def decorate(pipeline: Callable[..., None]) -> Callable[..., None]:
        _own, *shared = inspect.signature(pipeline).parameters.values()
        added = inspect.signature(place).parameters
        names = [*added, *(one.name for one in shared)]

        @functools.wraps(pipeline)
        def with_own(*values: Any) -> None:
            given = dict(zip(names, values, strict=True))
            pipeline({name: given.pop(name) for name in added}, **given)

        with_own.__signature__ = inspect.Signature([*added.values(), *shared])  # type: ignore[attr-defined]
        text = (inspect.getdoc(place) or "").partition("Args:")[2].strip()
        with_own.__doc__ = f"{inspect.getdoc(pipeline)}\n    {text}"
        return with_own

    return decorate


fashion_mnist: Final = pipeline_at(VERTEX)
fashion_mnist_on_kubeflow: Final = pipeline_at(KUBEFLOW)
