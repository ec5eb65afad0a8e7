"""Pictures of the test set for people who want to try a model."""

import base64
import io
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image

from components.dataset.records import read_records
from pipeline.photos.samples import HARD, samples
from pipeline.runs.chosen_model import choose
from tests.idx_files import FASHION
from tests.pipeline.local_registry import add_version
from tests.small_project import Project


def test_two_of_each_class_and_some_mistakes_are_from_the_run_that_trained_it(
    light: Project,
) -> None:
    root = light.undisturbed
    found = samples(root, choose(root))
    easy = [one["label"] for one in found if not one["hard"]]
    assert Counter(easy) == dict.fromkeys(FASHION.classes, 2)
    assert 0 < len(found) - len(easy) <= HARD
    shards = root.glob("runs/*/steps/decode/test_records/*.tfrecord")
    known = {
        (image.tobytes(), FASHION.classes[label])
        for shard in shards
        for images, labels in read_records(shard, FASHION)
        for image, label in zip(images, labels, strict=True)
    }
    for one in found[: len(easy)]:
        with Image.open(io.BytesIO(base64.b64decode(one["png"]))) as image:
            assert (np.asarray(image).tobytes(), one["label"]) in known


def test_a_model_whose_run_is_gone_has_none(tmp_path: Path) -> None:
    add_version(tmp_path, tmp_path / "model")
    assert samples(tmp_path, choose(tmp_path)) == []
