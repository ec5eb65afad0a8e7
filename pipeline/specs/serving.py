"""What to tell a person of the container that is to serve the model."""

import datetime
from typing import Final

from components.upload.containers import LAST_DAYS, PREBUILT, container_spec

DEFAULT_IMAGE: Final = PREBUILT
NOTICE: Final = datetime.timedelta(days=60)
"""How long before an image's last day it is worth a warning."""


def warning(image: str, today: datetime.date) -> str:
    """Why the image should not be used much longer; empty when nothing is known against it.

    Args:
        image: The container that is to serve the model.
        today: The date.
    """
    container_spec(image)
    until = LAST_DAYS.get(image)
    if until is None or today < until - NOTICE:
        return ""
    cure = "build serving/Dockerfile and give it with -p serving_image=…"
    day = f"{until:%-d %B %Y}"
    if today <= until:
        left = (until - today).days
        return f"the serving image {image} is available until {day}, {left} more days: {cure}"
    return f"the serving image {image} was available until {day} only: {cure}"
