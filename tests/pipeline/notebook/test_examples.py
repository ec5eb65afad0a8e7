"""Pictures that are given to ``ask`` in a cell."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.dataset.description import Description
from components.dataset.facts import TEST_IMAGES, TEST_LABELS
from components.train.trainer.export import export
from components.train.trainer.hyperparameters import Hyperparameters
from components.train.trainer.model import build_model
from pipeline.notebook import ask, read_raw
from pipeline.notebook.artifacts import Artifact, artifact
from serving.photos import TURN
from tests.idx_files import FASHION, header
from tests.saved_models import COLOURED, GREY, make_described


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("models") / "model"
    export(build_model(Hyperparameters(filters=(8, 16)), FASHION), folder, FASHION)
    return artifact(folder)


def drawn(mode: str) -> Image.Image:
    """Upright and in colour: a red garment on green of the same grey."""
    photo = Image.new("RGB", (120, 160), (0, 130, 0))
    photo.paste((255, 0, 0), (40, 20, 80, 140))
    photo.paste((255, 0, 0), (40, 20, 110, 60))
    if mode == "RGBA":
        photo.putalpha(photo.getchannel("R"))
    return photo.convert(mode)


@pytest.mark.parametrize(
    ("mode", "form"), [("RGB", "PNG"), ("RGBA", "PNG"), ("CMYK", "JPEG"), ("RGB", "TIFF")]
)
@pytest.mark.parametrize("orientation", [1, 6])
def test_an_opened_picture_has_the_answer_of_its_file(
    mode: str, form: str, orientation: int, model: Artifact, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[TURN] = orientation
    path = tmp_path / "photo"
    drawn(mode).save(path, form, exif=exif)
    assert ask(model, Image.open(path)) == pytest.approx(ask(model, path), abs=1e-6)


@pytest.mark.parametrize("about", [COLOURED, GREY], ids=lambda about: about.name)
def test_own_pictures_are_read_and_asked_about_as_their_description_says(
    about: Description, tmp_path: Path
) -> None:
    count, classes = len(about.classes), np.arange(len(about.classes), dtype=np.uint8)
    images = np.zeros((count, *about.shape), np.uint8)
    images[classes, classes] = 255
    about.write(tmp_path)
    magic = 0x00000800 | images.ndim
    (tmp_path / TEST_IMAGES).write_bytes(header(magic, *images.shape) + images.tobytes())
    (tmp_path / TEST_LABELS).write_bytes(header(0x00000801, count) + classes.tobytes())
    read, labels, described = read_raw(artifact(tmp_path), "test")
    assert np.array_equal(read, images)
    assert (labels.tolist(), described) == (classes.tolist(), about)
    model = artifact(make_described(tmp_path / "model", about))
    answer = ask(model, read[1])
    assert tuple(answer) == about.classes
    assert max(answer, key=lambda name: answer[name]) == about.classes[1]
