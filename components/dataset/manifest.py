"""The manifest that a step writes last, and that readers of its output require.

On Vertex an output directory is a bucket behind a file system: files appear one by one, and a
step can be killed between two of them. ``manifest.json`` lists every file with its size and
digest and is written when all of them are complete.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from components.dataset.errors import DataError

MANIFEST: Final = "manifest.json"
AGAIN: Final = "run again with --no-cache to replace it"
VOLATILE: Final = frozenset({"fingerprint.pb"})
"""Files that TensorFlow writes differently each time; not part of a directory's digest."""
MODEL_DIGEST: Final = "model_digest"
"""The key of a trained model's digest in its manifest."""


def write_manifest(directory: Path, **facts: Any) -> dict[str, Any]:
    """Lists every file under ``directory`` in its ``manifest.json``; call it last.

    Returns:
        What was written: ``facts`` and ``files``, a list of ``name`` (relative, ``/``), ``bytes``
        and ``sha256``, sorted by name.
    """
    files = [
        {
            "name": path.relative_to(directory).as_posix(),
            "bytes": path.stat().st_size,
            "sha256": file_digest(path),
        }
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path != directory / MANIFEST
    ]
    manifest = {**facts, "files": files}
    (directory / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")
    return manifest


def read_manifest(directory: Path) -> dict[str, Any]:
    """Reads and checks the manifest of ``directory``: every file there, in its full size.

    Raises:
        DataError: There is no manifest (the step did not finish), it is damaged, or a file is
            missing or has another size.
    """
    path = directory / MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_text())
        for entry in manifest["files"]:
            name, expected, _ = Path(entry["name"]), entry["bytes"], entry["sha256"]
            file = directory / name
            if name.is_absolute() or ".." in name.parts:
                raise ValueError(f"{entry['name']!r} is not inside the directory")
            found = f"{file.stat().st_size} bytes" if file.is_file() else "missing"
            if found != f"{expected} bytes":
                raise DataError(
                    f"{entry['name']!r} in {directory} is {found}, expected {expected} bytes; "
                    f"{AGAIN}"
                )
    except FileNotFoundError:
        raise DataError(f"{directory} has no {MANIFEST}: it is unfinished; {AGAIN}") from None
    except (ValueError, RecursionError, KeyError, TypeError, OSError) as error:
        raise DataError(f"{path} is damaged ({type(error).__name__}: {error}); {AGAIN}") from error
    return manifest


def content_digest(manifest: Mapping[str, Any]) -> str:
    """The digest of a directory's content: hexadecimal SHA-256 over its file names and digests.

    Directories with equal files have equal digests.
    """
    lines = [
        f"{entry['sha256']}  {entry['name']}\n"
        for entry in manifest["files"]
        if entry["name"] not in VOLATILE
    ]
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def model_digest(directory: Path) -> str:
    """The identity of a model: the digest of its weights and signatures, as its training wrote it.

    Without one, as in a model that something else made, the digest of its content.

    Raises:
        DataError: As ``read_manifest``.
    """
    manifest = read_manifest(directory)
    return str(manifest.get(MODEL_DIGEST) or content_digest(manifest))


def file_digest(path: Path) -> str:
    """The hexadecimal SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
