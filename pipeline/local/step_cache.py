"""What earlier runs made, and whether it is still what they made.

``kfp.local`` keeps an entry for each step that ended well, with the addresses of its outputs, and
answers with them as long as something is there. After a power cut, a full disk or a clean-up that
may be half of an output: here an entry also has the digests of the outputs' content, and answers
only where these are the same.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from kfp import dsl
from kfp.local.cache import LocalCache

from components.dataset.manifest import file_digest
from pipeline import files as durable

STORED: Final = "gs://"
log = logging.getLogger(__name__)


class StepCache(LocalCache):  # type: ignore[misc]
    """The cache of one root.

    Args:
        directory: Where the entries are.
        stored: Gives the checksums of the objects below a ``gs://`` address, by name.
        answers: Whether a step may be answered; what a step made is kept in any case, so that no
            later run is answered with something older.
    """

    def __init__(
        self, directory: Path, stored: Callable[[str], Mapping[str, str]], *, answers: bool = True
    ) -> None:
        super().__init__(str(directory))
        self._stored = stored
        self._answers = answers

    def get(self, key: str) -> dict[str, Any] | None:
        """The outputs under a key; None where there are none, or not any more as they were."""
        path = Path(self._entry_path(key))
        if not self._answers or not path.is_file():
            return None
        digest, _, text = path.read_bytes().partition(b"\n")
        if digest.decode(errors="replace") != hashlib.sha256(text).hexdigest():
            log.warning("%s is damaged; the step runs again", path)
            return None
        entry = json.loads(text)
        if not all(self._content(uri) == content for uri, content in entry["contents"].items()):
            return None
        outputs: dict[str, Any] = self._deserialize_outputs(entry["outputs"])
        return outputs

    def put(self, key: str, outputs: dict[str, Any]) -> None:
        """Keeps the outputs under a key, over what was there.

        Where an output is missing there is nothing to answer with, and the entry is removed.
        """
        path = Path(self._entry_path(key))
        contents = {uri: self._content(uri) for uri in _addresses(outputs)}
        if None in contents.values():
            path.unlink(missing_ok=True)
            return
        entry = {"outputs": self._serialize_outputs(outputs), "contents": contents}
        text = json.dumps(entry)
        durable.write(path, f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")

    def _content(self, uri: str) -> str | None:
        """The digest of what is at an address; None: nothing."""
        if "://" not in uri:
            return content_digest(Path(uri))
        if uri.startswith(STORED):
            stored = self._stored(uri)
            return _digest(stored.items()) if stored else None
        return ""


def content_digest(path: Path) -> str | None:
    """SHA-256 over the names and the bytes of a file, or of all files of a directory.

    Returns:
        Hexadecimal digits; None where there is nothing.
    """
    if not path.exists():
        return None
    files = {"": path} if path.is_file() else {
        file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()
    }  # fmt: skip
    return _digest((name, file_digest(file)) for name, file in files.items())


def _digest(items: Any) -> str:
    lines = "".join(sorted(f"{digest}  {name}\n" for name, digest in items))
    return hashlib.sha256(lines.encode()).hexdigest()


def _addresses(outputs: Mapping[str, Any]) -> Iterator[str]:
    for value in outputs.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dsl.Artifact) and item.uri:
                yield item.uri
