"""Names of runs, here and on Vertex AI: when they began, and four digits that tell them apart."""

import datetime
import secrets


def new_run_id(pipeline: str, now: datetime.datetime) -> str:
    """A name that no other run has: ``fashion-mnist-20261123-153000-ab12``.

    Args:
        pipeline: Name of the pipeline.
        now: When the run begins.
    """
    return f"{pipeline}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
