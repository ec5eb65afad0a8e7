"""Images as data URIs."""

import base64
import io

import numpy as np
from numpy.typing import NDArray


def data_uri(image: NDArray[np.uint8]) -> str:
    """A PNG data URI, greyscale and lossless; the page scales it up without smoothing.

    Args:
        image: uint8 [height, width].
    """
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
