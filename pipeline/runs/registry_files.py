"""The files of the local model registry: how a version and an alias come to be on disk.

A version appears by one rename, which brings its aliases with it in a file of their own; they are
then merged into the model's. Whatever ends a writer, a reader finds all of a version or nothing,
and the next writer finishes the merge. Writers take turns by a lock, readers need none.
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
from pipeline import files as durable

ALIASES: Final = "aliases.json"
OWN_ALIASES: Final = ".aliases.json"
"""In a version's directory: those that were given to it and are not merged yet."""
VERSION: Final = "version.json"
EVALUATION: Final = "evaluation.json"
LARGEST: Final = 1e300
"""No figure is larger; that of a longer integer could not be shown."""
CHECKSUM: Final = "sha256"
"""The key of ``version.json`` with the digest of the others."""
SAVED_MODEL: Final = "saved_model.pb"
LOCK: Final = ".lock"
INCOMING: Final = ".incoming-"
_COLLISION: Final = (errno.EEXIST, errno.ENOTEMPTY)


class RegistryError(StepError):
    """A model, a version or an alias that is not there, or a registry that cannot be used."""


def numbers(home: Path) -> list[int]:
    """The numbers of a model's versions, ascending; empty when there is no such directory."""
    if not home.is_dir():
        return []
    names = (path.parent.name for path in home.glob(f"*/{SAVED_MODEL}"))
    return sorted(int(name) for name in names if re.fullmatch("[1-9][0-9]*", name))


def state(home: Path) -> tuple[list[int], dict[str, Any]]:
    """The numbers of a model's versions and what its aliases point at, as they were at one time.

    Raises:
        RegistryError: The file of the aliases holds something else.
    """
    found = numbers(home)
    while True:
        # In this order: what is not a version's own any more is among the model's by now.
        own = _own_aliases(home, found)
        aliases = {**read_json(home / ALIASES), **own}
        before, found = found, numbers(home)
        if found == before:
            return found, aliases


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
    with _locked(home):
        _finish_others(home)
        with tempfile.TemporaryDirectory(prefix=INCOMING, dir=home) as incoming:
            copy = Path(incoming) / "model"
            shutil.copytree(source, copy)
            path = _publish(copy, home, facts, aliases)
        return path, _merge_aliases(home)


def write_evaluation(version: Path, evaluation: Mapping[str, Any]) -> None:
    """Puts an evaluation beside a version's model, over an earlier one.

    Raises:
        OSError: The directory cannot be written, or the disk is full.
    """
    with _locked(version.parent):
        durable.write(version / EVALUATION, _json(evaluation))


def finish(home: Path) -> None:
    """Brings to an end what writers of a model began that were killed.

    Raises:
        OSError: As ``write_evaluation``.
        RegistryError: A file of the registry is no JSON.
    """
    with _locked(home):
        _finish_others(home)


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


def read_version(version: Path) -> dict[str, Any]:
    """What is recorded of a version; empty when somebody put it there by hand.

    Raises:
        RegistryError: The file is no JSON, or not as a run writes it.
    """
    facts = read_json(version / VERSION)
    if wrong := [name for name, fits in _FORMS.items() if name in facts and not fits(facts[name])]:
        raise RegistryError(
            f"{version / VERSION}: {', '.join(wrong)} not as a run writes it; mend it or remove it"
        )
    return facts


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


def _is_figures(value: Any) -> bool:
    return _is_object(value) and all(
        isinstance(each, int | float) and abs(each) < LARGEST for each in value.values()
    )


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


_FORMS: Final = {
    "digests": _is_object,
    "metrics": _is_figures,
    "parameters": _is_object,
    "run": _is_text,
    "created": _is_time,
}
"""What others rely on in a ``version.json``, where it is there."""


def reason(error: OSError) -> str:
    """Why a version could not be written: the first of the failures that a copy collects."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        _source, _target, first = error.args[0][0]
        return str(first)
    return str(error)


def _publish(copy: Path, home: Path, facts: Mapping[str, Any], aliases: Sequence[str]) -> Path:
    """Renames a complete version to the next free number; the caller holds the lock."""
    number = max(numbers(home), default=0)
    while True:
        number += 1
        created = datetime.now(UTC).isoformat(timespec="seconds")
        version = _json(sealed({**facts, "version": number, "created": created}))
        (copy / VERSION).write_text(version)
        (copy / OWN_ALIASES).write_text(_json(dict.fromkeys(aliases, number)))
        durable.sync_tree(copy)
        try:
            path = copy.rename(home / str(number))
        except OSError as error:
            if error.errno not in _COLLISION:
                raise
        else:
            durable.sync_file(home)
            return path


def _finish_others(home: Path) -> None:
    """Brings to an end what a killed writer began; the caller holds the lock."""
    for path in home.glob(f"{INCOMING}*"):
        shutil.rmtree(path)
    for path in home.rglob(f"{durable.UNFINISHED}*"):
        path.unlink()
    _merge_aliases(home)


def _merge_aliases(home: Path) -> dict[str, Any]:
    """Merges the versions' own aliases into the model's; the caller holds the lock."""
    found = numbers(home)
    merged = read_json(home / ALIASES)
    if own := _own_aliases(home, found):
        merged |= own
        durable.write(home / ALIASES, _json(merged))
    for number in found:
        (home / str(number) / OWN_ALIASES).unlink(missing_ok=True)
    return merged


def _own_aliases(home: Path, found: Sequence[int]) -> dict[str, Any]:
    own: dict[str, Any] = {}
    for number in found:
        own |= read_json(home / str(number) / OWN_ALIASES)
    return own


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    with (home / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=1, sort_keys=True) + "\n"
