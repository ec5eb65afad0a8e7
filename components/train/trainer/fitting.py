"""What of the hyperparameters is used for the pictures of a data set."""

import dataclasses
import logging
from typing import Any, Final

from components.dataset.description import Description

from .hyperparameters import Hyperparameters

logger = logging.getLogger(__name__)

WITHOUT_FLIP: Final = {"flip": "none", "flip+shift": "shift"}


def fitted(hyperparameters: Hyperparameters, description: Description) -> Hyperparameters:
    """As many stages as the size allows, and no mirror images where they may be of another class.

    What changes is a line in the log.
    """
    given, used = hyperparameters, dict[str, Any]()
    # Each stage halves the image: 28, 14, 7, 3, 1.
    most = min(description.height, description.width).bit_length() - 1
    if len(given.filters) > most:
        used["filters"] = given.filters[:most]
        logger.info(
            "filters has %d stages, and pictures of %dx%d allow %d: the first %d are used",
            *(len(given.filters), description.height, description.width, most, most),
        )
    augmentation = WITHOUT_FLIP.get(given.augmentation, given.augmentation)
    mirrors = augmentation != given.augmentation or given.mirror_averaging
    if description.mirror_changes_class and mirrors:
        used |= {"augmentation": augmentation, "mirror_averaging": False}
        logger.info(
            "a mirrored picture may be of another class: augmentation is %s, and mirror_averaging "
            "is off",
            augmentation,
        )
    return dataclasses.replace(given, **used)
