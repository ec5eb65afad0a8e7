"""The training loop: steps, validation, the learning curve, and a check of the loss."""

import logging
import math
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.dataset.errors import StepError

from .hyperparameters import Hyperparameters
from .input_pipeline import Source, share, training_batches
from .optimizer import OPTIMIZERS, Triangle
from .progress import Epoch, Plan, Progress
from .sampling import Draw, Sampler
from .splits import Examples

logger = logging.getLogger(__name__)


class TrainingDiverged(StepError):
    """The loss or a weight is not a finite number."""


class Training:
    """One training of ``model`` on ``source``; the model's weights are changed.

    It validates on ``eval_steps`` batches after each epoch; 0: on all examples.

    Attributes:
        curve: A row for each epoch that is done.
        validation: The examples to validate on, or None.
        confusion: int [classes, classes], the newest validation's examples by true class (row) and
            predicted class (column).
    """

    def __init__(
        self,
        model: keras.Model,
        source: Source,
        validation: Examples | None,
        hyperparameters: Hyperparameters,
        *,
        seed: int = 0,
        eval_steps: int = 0,
    ) -> None:
        self.model = model
        self.plan = Plan.of(hyperparameters, source.count)
        self.curve: list[Epoch] = []
        self.validation = validation
        classes = model.output_shape[-1]
        self.confusion = np.zeros([classes, classes], int)
        if validation and eval_steps:
            seen = slice(eval_steps * self.plan.batch_size)
            self.validation = Examples(validation.images[seen], validation.labels[seen])
        by_loss = source.indexed and hyperparameters.sampling == "loss"
        self.sampler = Sampler(source.count, self.plan.batch_size, seed, by_loss=by_loss)
        self._source = source
        self._hyperparameters = hyperparameters
        self._seed = seed
        self._schedule = Triangle(hyperparameters.learning_rate, self.plan.steps)
        self._optimizer = OPTIMIZERS[hyperparameters.optimizer](self._schedule)
        self._optimizer.build(model.trainable_variables)
        self._strategy = tf.distribute.get_strategy()
        self._progress = Progress()
        self.step = tf.function(self._train_step)
        images = tf.TensorSpec(model.input_shape, tf.uint8)
        labels = tf.TensorSpec([None], tf.int64)
        self._score = tf.function(self._score_batch, input_signature=[images, labels])

    @property
    def variables(self) -> list[Any]:
        """What steps change. With the sampler's losses and the seed, they decide what follows."""
        return [*self.model.variables, *self._optimizer.variables]

    def learning_rate(self, step: int) -> float:
        """The learning rate of ``step``, counted from 1."""
        return float(self._schedule(step - 1))

    def run(self, *after_epoch: Callable[[], None]) -> None:
        """Trains from where ``curve`` ends; each epoch adds a row and a line in the log.

        ``after_epoch`` is called one after another when a row has been added.

        Raises:
            TrainingDiverged: The loss or a weight is not finite; names the step and its learning
                rate. Checked twice a second and at the end of each epoch.
        """
        for number in range(len(self.curve) + 1, self.plan.epochs + 1):
            done, end = self.plan.last_step(number - 1), self.plan.last_step(number)
            self.curve.append(self._epoch(number, done, end))
            for call in after_epoch:
                call()
        if not all(np.isfinite(weights).all() for weights in self.model.get_weights()):
            raise self._diverged(self.plan.steps, "a weight")

    def batches(self, draw: Draw, start: int) -> Any:
        """The batches of a draw for the replicas here; the first is step ``start``, from 0."""
        size = self.plan.batch_size
        whole = training_batches(
            self._source,
            draw,
            size,
            augmentation=self._hyperparameters.augmentation,
            seed=self._seed,
            start=start,
        )
        if self._strategy.num_replicas_in_sync == 1:
            return whole
        return self._strategy.distribute_datasets_from_function(
            lambda worker: share(whole, size, worker)
        )

    def _epoch(self, number: int, done: int, end: int) -> Epoch:
        started = time.perf_counter()
        figures: list[Any] = []
        checked = done
        for draw in self.sampler.epoch(number, end - done):
            losses: list[Any] = []
            for batch in self.batches(draw, done + len(figures)):
                figure, of_examples = self.step(*batch)
                figures.append(figure)
                losses.append(of_examples)
                step = done + len(figures)
                # It waits for the device, so the clock decides when, and not every step.
                if self._progress.due() or step == end:
                    loss = self._check(figures[checked - done :], checked)
                    checked = step
                    speed = (step - done) * self.plan.batch_size / (time.perf_counter() - started)
                    self._progress.show(
                        f"epoch {number}/{self.plan.epochs}  step {step - done}/{end - done}",
                        f"{speed:,.0f} images/s  loss {loss:.4f}",
                        self.plan.steps - step,
                    )
            if self._source.indexed:
                self.sampler.record(draw, np.concatenate([each.numpy() for each in losses]))
        seconds = time.perf_counter() - started
        loss, accuracy = np.mean(figures, axis=0).tolist()
        validation, said = self._validate(end), "no validation"
        if self.validation is not None:
            said = "validation loss {:.4f}, validation accuracy {:.4f}".format(*validation)
        logger.info(
            "epoch %d/%d: loss %.4f, accuracy %.4f, %s, %.1f s, %s images/s",
            *(number, self.plan.epochs, loss, accuracy, said, seconds),
            f"{(end - done) * self.plan.batch_size / seconds:,.0f}",
        )
        return Epoch(number, seconds, self.learning_rate(end), loss, accuracy, *validation)

    def _check(self, figures: list[Any], done: int) -> float:
        """The loss of the last of the steps after ``done``, if all of them are finite."""
        losses = np.array([figure.numpy()[0] for figure in figures])
        bad = np.flatnonzero(~np.isfinite(losses))
        if bad.size:
            raise self._diverged(done + 1 + int(bad[0]), "the loss")
        return float(losses[-1])

    def _validate(self, step: int) -> tuple[float | None, float | None]:
        if self.validation is None:
            return None, None
        total, count = 0.0, len(self.validation.labels)
        self.confusion[:] = 0
        for images, labels in self.validation.batches():
            loss, confusion = self._score(images, labels)
            total += float(loss) * len(labels)
            self.confusion += confusion.numpy()
        if not math.isfinite(total):
            raise self._diverged(step, "the validation loss")
        return total / count, float(self.confusion.trace() / count)

    def _train_step(self, images: Any, labels: Any, weights: Any) -> Any:
        figures, losses = self._strategy.run(self._replica_step, args=(images, labels, weights))
        if self._strategy.num_replicas_in_sync > 1:
            figures = self._strategy.reduce("MEAN", figures, axis=None)
            losses = self._strategy.gather(losses, axis=0)
        return figures, losses

    def _replica_step(self, images: Any, labels: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            # A column for each member.
            logits, truth = self.model(images, training=True), labels[:, None]
            smoothing = self._hyperparameters.label_smoothing
            losses = cross_entropy(logits, truth, smoothing)
            right = tf.cast(tf.argmax(logits, axis=-1) == truth, tf.float32)
            # The optimizer adds up the gradients of all replicas.
            loss = tf.reduce_mean(weights * tf.reduce_sum(losses, axis=1))
            loss /= self._strategy.num_replicas_in_sync
        variables = self.model.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        figures = tf.reduce_mean(weights[:, None] * tf.stack([losses, right]), axis=[1, 2])
        return figures, tf.reduce_mean(losses, axis=1)

    def _score_batch(self, images: Any, labels: Any) -> Any:
        logits = self.model(images, training=False)
        # Without smoothing, as the test's log loss.
        return tf.reduce_mean(cross_entropy(logits, labels)), tf.math.confusion_matrix(
            labels, tf.argmax(logits, axis=-1), len(self.confusion)
        )

    def _diverged(self, step: int, what: str) -> TrainingDiverged:
        return TrainingDiverged(
            f"{what} is not finite at step {step} of {self.plan.steps}, where the learning rate "
            f"was {self.learning_rate(step):.4g}; use a smaller learning_rate"
        )


def cross_entropy(logits: Any, labels: Any, smoothing: float = 0.0) -> Any:
    """The cross-entropy of each answer in nats, float32 of the labels' shape.

    ``smoothing`` is the share of the target that is spread over all classes.
    """
    classes = logits.shape[-1]
    targets = (1 - smoothing) * tf.one_hot(labels, classes) + smoothing / classes
    return -tf.reduce_sum(targets * tf.nn.log_softmax(logits), axis=-1)
