"""Pictures of the test set for people who want to try a model."""

import base64
import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.dataset.description import Description
from components.dataset.manifest import write_manifest
from components.dataset.records import frame_records, read_records
from pipeline.photos.samples import HARD, MOST, samples
from pipeline.runs.chosen_model import choose
from pipeline.runs.record import EVALUATION, Artifact, Task
from tests.idx_files import FASHION
from tests.pipeline.local_registry import FIRST, add_run, add_version
from tests.saved_models import COLOURED, GREY
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


@pytest.mark.parametrize(
    ("about", "easy"),
    [
        (COLOURED, COLOURED.classes),
        (GREY, GREY.classes),
        (Description("Many", tuple(f"kind {n}" for n in range(200)), 8, 9, 3), None),
    ],
    ids=["in colour", "in grey", "200 classes"],
)
def test_they_are_pictures_of_the_data_set_and_not_too_many(
    about: Description, easy: tuple[str, ...] | None, tmp_path: Path
) -> None:
    classes = len(about.classes)
    labels = np.repeat(np.arange(classes, dtype=np.uint8), 3)
    images = np.random.default_rng(0).integers(1, 255, (len(labels), *about.shape), np.uint8)
    (records := tmp_path / "records").mkdir()
    (records / "a.tfrecord").write_bytes(frame_records(images, labels, about).tobytes())
    about.write(records)
    write_manifest(records)
    decode = Task("decode", "Decode", outputs={"test_records": Artifact(str(records))})
    run = add_run(tmp_path, FIRST, steps={"decode": decode})
    mistakes = [{"index": 4, "label": 1}]
    shown = {"4": base64.b64encode(images[4].tobytes()).decode()}
    (run / EVALUATION).write_text(json.dumps({"mistakes": mistakes, "images": shown}))
    add_version(tmp_path, tmp_path / "model")
    *found, hard = samples(tmp_path, choose(tmp_path))
    names = [one["label"] for one in found]
    assert (hard["label"], hard["hard"]) == (about.classes[1], True)
    with Image.open(io.BytesIO(base64.b64decode(hard["png"]))) as image:
        assert np.array_equal(np.asarray(image), images[4])
    if easy:
        assert Counter(names) == dict.fromkeys(easy, 2)
    else:
        assert 40 < len(set(names)) == len(names) <= MOST
