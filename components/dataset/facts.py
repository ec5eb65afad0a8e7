"""What FashionMNIST is: file names, digests, class names, shapes and where to find it.

The digests are SHA-256 of the *decompressed* IDX payload, so they hold for every mirror,
however it compressed its files. They were taken from the files of the Debian package
``dataset-fashion-mnist``, whose payload has the MD5 sums that Zalando Research publishes.
"""

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

DIGESTS: Final = {
    TRAIN_IMAGES: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    TRAIN_LABELS: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    TEST_IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    TEST_LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
"""SHA-256 of each decompressed payload."""

EXAMPLES: Final = {
    TRAIN_IMAGES: 60_000,
    TRAIN_LABELS: 60_000,
    TEST_IMAGES: 10_000,
    TEST_LABELS: 10_000,
}
"""Number of examples in each payload."""

SYSTEM_DIRECTORY: Final = "/usr/share/datasets/fashion-mnist"
"""Where the Debian package ``dataset-fashion-mnist`` puts the four files."""

MIRRORS: Final = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
)
"""Public mirrors in the order in which they are tried."""

SPLITS: Final = ("train", "validation", "test")
