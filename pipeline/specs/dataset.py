"""The parameter ``dataset``: from a file, or from the ``dataset.json`` beside the data."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from components.dataset.description import NAME, Description, DescriptionError
from components.dataset.places import PlaceError, local_path
from pipeline.errors import UsageError
from pipeline.specs.spec import Spec, has_all_steps

PARAMETER: Final = "dataset"
UNNAMED: Final = "pictures"
"""The model of data whose name has no letter and no digit."""


def read(path: Path) -> dict[str, Any]:
    """The description in a file, without what decode adds, as JSON values.

    Raises:
        UsageError: The file cannot be read, or is something else.
    """
    try:
        about = Description.parse(path.read_bytes(), str(path))
    except (DescriptionError, OSError) as error:
        reason = getattr(error, "strerror", None)
        raise UsageError(f"{path}: {reason}" if reason else str(error)) from error
    return dataclasses.replace(about, verified=False, counts={}, mean=(), deviation=()).as_dict()


def beside(source: Any) -> dict[str, Any]:
    """The description beside the files of a source on this machine; empty without one.

    Raises:
        UsageError: As ``read``.
    """
    try:
        folder = local_path(source) if isinstance(source, str) and source else None
    except PlaceError:
        folder = None
    return read(folder / NAME) if folder and (folder / NAME).is_file() else {}


def completed(values: Mapping[str, Any], spec: Spec) -> dict[str, Any]:
    """The values with the ``dataset`` beside the source and a ``model_name`` after the data's name.

    Values that are given stay, and those of a pipeline without these steps.

    Raises:
        UsageError: The description beside the source cannot be used.
    """
    if not has_all_steps(spec):
        return dict(values)
    source = values.get("source", "")
    about = values.get(PARAMETER) or beside(source)
    name = about.get("name")
    if not about and values.get("allow_unverified"):
        # So ingest calls what nothing describes.
        name = PurePosixPath(source).name
    found: dict[str, Any] = {PARAMETER: about} if about else {}
    if isinstance(name, str) and name:
        found["model_name"] = model_name(name)
    return {**found, **{key: value for key, value in values.items() if value != {}}}


def model_name(name: str) -> str:
    """A model's name after its data: ``FashionMNIST`` gives ``fashion-mnist``."""
    words = re.sub("(?<=[a-z])(?=[A-Z])", "-", name).lower()
    return re.sub(r"[\W_]+", "-", words).strip("-")[:128] or UNNAMED
