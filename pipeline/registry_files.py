"""The files of the local model registry: how a version and an alias come to be on disk.

Versions appear by a rename and the aliases by a replaced file, so a reader never sees half of
one; writers take turns by a lock.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from components.dataset.errors import StepError

ALIASES: Final = "aliases.json"
VERSION: Final = "version.json"
EVALUATION: Final = "evaluation.json"
CHECKSUM: Final = "sha256"
"""The key of ``version.json`` with the digest of the others."""
SAVED_MODEL: Final = "saved_model.pb"
LOCK: Final = ".lock"
_COLLISION: Final = (errno.EEXIST, errno.ENOTEMPTY)


class RegistryError(StepError):
    """A model, a version or an alias that is not there, or a registry that cannot be used."""


def numbers(home: Path) -> list[int]:
    """The numbers of a model's versions, ascending; empty when there is no such directory."""
    if not home.is_dir():
        return []
    names = (path.parent.name for path in home.glob(f"*/{SAVED_MODEL}"))
    return sorted(int(name) for name in names if re.fullmatch("[1-9][0-9]*", name))


def add(
    source: Path, home: Path, facts: Mapping[str, Any], aliases: Sequence[str]
) -> tuple[Path, dict[str, Any]]:
    """Copies a SavedModel to the next free number under ``home`` and points aliases at it.

    Args:
        source: The SavedModel directory.
        home: The model's directory; it is made when missing.
        facts: JSON values for ``version.json``; ``version`` and ``created`` are added.
        aliases: Aliases to point at the new version, taken from any other.

    Returns:
        The version's directory, and all aliases of the model as they were then.

    Raises:
        OSError: The directory cannot be written, or the disk is full.
    """
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".incoming-", dir=home) as incoming:
        copy = Path(incoming) / "model"
        shutil.copytree(source, copy)
        with _locked(home):
            path = _publish(copy, home, facts)
            return path, _point(home, aliases, int(path.name))


def write_evaluation(version: Path, evaluation: Mapping[str, Any]) -> None:
    """Puts an evaluation beside a version's model, over an earlier one.

    Raises:
        OSError: The directory cannot be written, or the disk is full.
    """
    temporary = version / f".{EVALUATION}"
    _write_json(temporary, evaluation)
    temporary.replace(version / EVALUATION)


def sealed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with a checksum over them, which tells whether they were changed later."""
    own = {name: value for name, value in values.items() if name != CHECKSUM}
    text = json.dumps(own, sort_keys=True)
    return {**own, CHECKSUM: hashlib.sha256(text.encode()).hexdigest()}


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object of a file; empty when there is no such file.

    Raises:
        RegistryError: The file holds something else.
    """
    try:
        values = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"{path} is no JSON ({error}); mend it or remove it") from error
    if not isinstance(values, dict):
        raise RegistryError(f"{path} holds no JSON object; mend it or remove it")
    return values


def reason(error: OSError) -> str:
    """Why a version could not be written: the first of the failures that a copy collects."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        _source, _target, first = error.args[0][0]
        return str(first)
    return str(error)


def _publish(copy: Path, home: Path, facts: Mapping[str, Any]) -> Path:
    """Renames a complete version to the next free number; the caller holds the lock."""
    number = max(numbers(home), default=0)
    while True:
        number += 1
        created = datetime.now(UTC).isoformat(timespec="seconds")
        _write_json(copy / VERSION, sealed({**facts, "version": number, "created": created}))
        try:
            return copy.rename(home / str(number))
        except OSError as error:
            if error.errno not in _COLLISION:
                raise


def _point(home: Path, aliases: Sequence[str], number: int) -> dict[str, Any]:
    """Points aliases at a version; the caller holds the lock."""
    merged = {**read_json(home / ALIASES), **dict.fromkeys(aliases, number)}
    temporary = home / f".{ALIASES}"
    _write_json(temporary, merged)
    temporary.replace(home / ALIASES)
    return merged


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    with (home / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")
