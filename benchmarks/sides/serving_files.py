"""What the benchmark of the server needs: ``python -m benchmarks.sides.serving_files RAW FOLDER``.

The default network, untrained, as ``model``, and requests of 1 and 32 instances, as pixels and as
photos: 640 x 480 pixels, JPEG, on white.
"""

import base64
import io
import json
import sys
from pathlib import Path

from PIL import Image

from components.dataset import idx
from components.dataset.raw import open_raw
from components.ingest.fashion_mnist import DESCRIPTION
from components.train.trainer.export import export
from components.train.trainer.hyperparameters import Hyperparameters
from components.train.trainer.model import build_model

IMAGES = "t10k-images-idx3-ubyte"
SIZES = (1, 32)


def main(raw: str, folder: str) -> None:
    """Writes all of it."""
    about = DESCRIPTION
    export(build_model(Hyperparameters(), about), Path(folder, "model"), about)
    with open_raw(raw, IMAGES) as file:
        images = idx.read_all(file, IMAGES, idx.IMAGES, about)[: max(SIZES)]
    instances = {
        "pixels": [{"image": image.tolist()} for image in images],
        "photos": [{"image_bytes": {"b64": photo(Image.fromarray(image))}} for image in images],
    }
    for kind, each in instances.items():
        for size in SIZES:
            Path(folder, f"{kind}-{size}.json").write_text(json.dumps({"instances": each[:size]}))


def photo(image: Image.Image) -> str:
    """A photo of an image, as base64."""
    page = Image.new("RGB", (640, 480), "white")
    subject = Image.eval(image, lambda value: 255 - value).resize((440, 440), 3)
    page.paste(subject, (100, 20))
    file = io.BytesIO()
    page.save(file, "JPEG", quality=85)
    return base64.b64encode(file.getvalue()).decode()


if __name__ == "__main__":
    main(*sys.argv[1:])
