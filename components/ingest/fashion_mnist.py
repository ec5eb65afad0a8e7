"""What only FashionMNIST has: its description, its mirrors, its places on this machine.

The digests are SHA-256 of the *decompressed* IDX payload, so they are valid for every mirror,
however it compressed its files. They were taken from the Debian package
``dataset-fashion-mnist``, whose payload has the MD5 sums that Zalando Research publishes.
"""

import os
from pathlib import Path
from typing import Final

from components.dataset.description import Description
from components.dataset.errors import DataError
from components.dataset.facts import FILES, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS
from components.dataset.raw import find_file

DIGESTS: Final = {
    TRAIN_IMAGES: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    TRAIN_LABELS: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    TEST_IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    TEST_LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
"""SHA-256 of each decompressed payload."""

DESCRIPTION: Final = Description(
    name="FashionMNIST",
    # In Zalando's order and spelling.
    classes=(
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
    ),
    height=28,
    width=28,
    digests=DIGESTS,
)

TRAINING_EXAMPLES_OF_A_CLASS: Final = 6_000

MIRRORS: Final = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
)
"""Public mirrors in the order in which they are tried."""

SYSTEM_DIRECTORY: Final = "/usr/share/datasets/fashion-mnist"
"""Where the Debian package ``dataset-fashion-mnist`` installs the four files."""

DATA_VARIABLE: Final = "FASHION_MNIST_DATA"
"""The environment variable that names the project's data directory."""

CHECKOUT: Final = Path(__file__).resolve().parents[2]


def directories() -> list[Path]:
    """Where this machine may have the raw files, in the order in which they are searched.

    The system's package directory; then the project's data directory: the value of
    FASHION_MNIST_DATA, else ``./data``, else the checkout's.
    """
    named = os.environ.get(DATA_VARIABLE)
    data = [Path(named)] if named else [Path("data").absolute(), CHECKOUT / "data"]
    return [Path(SYSTEM_DIRECTORY), *dict.fromkeys(data)]


def find_raw() -> Path:
    """The first of ``directories`` that has all four files.

    Raises:
        DataError: None has; the error lists where they were searched.
    """
    for directory in directories():
        if all(find_file(directory, name) for name in FILES):
            return directory
    raise DataError(
        f"FashionMNIST's four files are in none of {', '.join(map(str, directories()))}; install "
        "the Debian package dataset-fashion-mnist, or put them into data/"
    )
