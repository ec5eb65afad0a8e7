"""Pictures that are given to ``ask`` in a cell."""

from pathlib import Path

import pytest
from PIL import Image

from components.train.trainer.export import export
from components.train.trainer.hyperparameters import Hyperparameters
from components.train.trainer.model import build_model
from pipeline.notebook import ask
from pipeline.notebook.artifacts import Artifact, artifact
from serving.photos import TURN


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    folder = tmp_path_factory.mktemp("models") / "model"
    export(build_model(Hyperparameters(filters=(8, 16))), folder)
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
