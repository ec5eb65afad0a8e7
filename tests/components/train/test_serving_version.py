"""The exported model under the TensorFlow of the image that serves it on Vertex AI."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from components.dataset.description import Description
from components.train.trainer.export import export
from components.train.trainer.hyperparameters import Hyperparameters
from components.train.trainer.model import build_model
from components.upload.containers import PREBUILT
from pipeline.local.processes import make_environment
from tests.idx_files import FASHION
from tests.photographs import BACKGROUNDS

from .conftest import FLAGS, GLYPHS, make_examples

SERVED = {"2-15": "2.15.1"}
"""The newest patch of each version in an image's name."""
ANSWER = """
import json, sys
import numpy as np
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
images = np.load(sys.argv[2])
photos = tf.stack([tf.io.read_file(path) for path in sys.argv[3:]])
encoded = tf.stack([tf.io.encode_png(image.reshape(*image.shape[:2], -1)) for image in images])
answers = [
    model.signatures["serving_default"](image=tf.constant(images)),
    model.signatures["serving_bytes"](image_bytes=encoded),
    model.signatures["serving_bytes"](image_bytes=photos),
]
print(json.dumps([tf.__version__, *(each["probabilities"].numpy().tolist() for each in answers)]))
"""


@pytest.fixture(scope="module")
def python_of_serving(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = re.search(r"tf2-cpu\.([\d-]+):", PREBUILT)
    assert named
    python = make_environment(tmp_path_factory.mktemp("serving") / "venv")
    package = f"tensorflow-cpu=={SERVED[named[1]]}"
    command = [str(python), "-m", "pip", "install", "--quiet", package]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if re.search("ConnectionError|No matching distribution", done.stderr):
        pytest.skip(f"the package index cannot be reached, or has no {package}")
    assert done.returncode == 0, done.stderr
    return python


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="TensorFlow 2.15 has no newer Python")
@pytest.mark.parametrize(
    ("architecture", "description"),
    [
        ("residual", FASHION),
        ("plain", FLAGS),
        ("plain", dataclasses.replace(GLYPHS, preparation="scaled")),
    ],
)
def test_the_model_answers_the_same_where_it_is_served(
    architecture: str, description: Description, python_of_serving: Path, tmp_path: Path
) -> None:
    model = build_model(Hyperparameters(architecture=architecture, filters=(8, 16)), description)
    images = make_examples(50, description=description)[0]
    # On black, as those of the data set, they pass unchanged.
    images[:, [0, -1]], images[:, :, [0, -1]] = 0, 0
    export(model, tmp_path / "model", description)
    np.save(tmp_path / "images.npy", images)
    clothes = make_examples(50)[0]
    clothes[:, [0, -1]], clothes[:, :, [0, -1]] = 0, 0
    photos = [make(clothes[number]) for number, make in enumerate(BACKGROUNDS.values())]
    files = [tmp_path / f"{number}.jpg" for number in range(len(photos))]
    for file, photo in zip(files, photos, strict=True):
        file.write_bytes(photo)
    served = tf.saved_model.load(str(tmp_path / "model")).signatures["serving_bytes"]
    expected = served(image_bytes=tf.constant(photos))["probabilities"]
    command = ["-c", ANSWER, *map(str, (tmp_path / "model", tmp_path / "images.npy", *files))]
    done = subprocess.run(
        [str(python_of_serving), *command], capture_output=True, text=True, check=True
    )
    version, *answers, of_photos = json.loads(done.stdout.splitlines()[-1])
    assert version in SERVED.values()
    np.testing.assert_allclose(of_photos, expected, atol=1e-5)
    for answer in answers:
        np.testing.assert_allclose(answer, tf.nn.softmax(model(images)), atol=1e-5)
