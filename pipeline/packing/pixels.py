"""Pictures as the pixels that a network sees of them."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from components.dataset.description import Description
from components.dataset.startup import quiet_start
from pipeline.packing.folder import Picture
from pipeline.photos.predictions import CORES, read
from serving.labels import NOTHING
from serving.photos import DAMAGED

BATCH: Final = 16
"""Pictures that a thread reads and prepares together."""
AHEAD: Final = 2
"""Batches for each thread that are under way or wait to be taken."""

Prepared = tuple[Picture, bytes | str]
"""A picture with its pixels, row-major uint8, or with the reason why there are none."""


def prepared(
    folder: Path, pictures: Iterable[Picture], description: Description
) -> Iterator[Prepared]:
    """Reads and prepares pictures, in their order and on all cores, as a model does when it serves.

    Memory is bounded by the batches that are under way.
    """
    preparation = _Preparation(description)
    remaining = iter(pictures)
    waiting: deque[Future[list[Prepared]]] = deque()
    with ThreadPoolExecutor(CORES) as threads:
        try:
            while True:
                while len(waiting) < AHEAD * CORES and (batch := list(islice(remaining, BATCH))):
                    waiting.append(threads.submit(preparation.batch, folder, batch))
                if not waiting:
                    return
                yield from waiting.popleft().result()
        finally:
            threads.shutdown(cancel_futures=True)


class _Preparation:
    def __init__(self, description: Description) -> None:
        # What TensorFlow cannot decode is in the result.
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with quiet_start():
            import tensorflow as tf

            from components.train.trainer.preparation import prepare

        def mapped(encoded: Any) -> Any:
            one = tf.TensorSpec(description.shape, tf.uint8)
            return tf.map_fn(
                lambda each: prepare(each, description), encoded, fn_output_signature=one
            )

        self._broken = tf.errors.InvalidArgumentError
        self._mapped = tf.function(
            mapped, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False
        )
        self._mapped.get_concrete_function()
        self._finds_subject = description.preparation == "subject"

    def batch(self, folder: Path, pictures: Sequence[Picture]) -> list[Prepared]:
        photos = [read(str(folder / picture.file)) for picture in pictures]
        pixels = iter(self._seen([photo.content for photo in photos if not photo.error]))
        return [
            (picture, photo.error or next(pixels))
            for picture, photo in zip(pictures, photos, strict=True)
        ]

    def _seen(self, contents: Sequence[bytes]) -> list[bytes | str]:
        try:
            images: np.ndarray[Any, Any] = self._mapped(np.array(contents, object)).numpy()
        except self._broken:
            if len(contents) == 1:
                return [DAMAGED]
            return [seen for content in contents for seen in self._seen([content])]
        return [NOTHING if self._finds_subject and not x.any() else x.tobytes() for x in images]
