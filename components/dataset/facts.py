"""The form of the data that all steps share: shapes, class names, file names and splits."""

from typing import Final

IMAGE_HEIGHT: Final = 28
IMAGE_WIDTH: Final = 28
IMAGE_BYTES: Final = IMAGE_HEIGHT * IMAGE_WIDTH
"""Bytes of one image: row-major uint8, 0 is the background."""

CLASS_NAMES: Final = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
"""The name of each label, 0 to 9, in Zalando's order and spelling."""

NUM_CLASSES: Final = len(CLASS_NAMES)

TRAIN_IMAGES: Final = "train-images-idx3-ubyte"
TRAIN_LABELS: Final = "train-labels-idx1-ubyte"
TEST_IMAGES: Final = "t10k-images-idx3-ubyte"
TEST_LABELS: Final = "t10k-labels-idx1-ubyte"

FILES: Final = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)
"""The four payloads; every source serves them as ``<name>.gz``."""

SPLITS: Final = ("train", "validation", "test")
