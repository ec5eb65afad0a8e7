"""The cache of ``kfp.local``, which checks that earlier outputs are still what their step made."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from kfp import dsl
from kfp.local.cache import LocalCache

from components.dataset.manifest import file_digest
from pipeline import files

STORED: Final = "gs://"


class StepCache(LocalCache):  # type: ignore[misc]
    """The cache of one root: each entry also has digests of the outputs' content.

    A kill, a full disk or a clean-up can leave a part of an output; kfp's own cache would answer
    with it as long as something is there.

    Args:
        directory: Holds the entries.
        stored: Returns the checksums of the objects below a ``gs://`` address, by name.
        answers: False: every step runs again. Its outputs are kept in any case, so that no later
            run is answered with older ones.
    """

    def __init__(
        self, directory: Path, stored: Callable[[str], Mapping[str, str]], *, answers: bool = True
    ) -> None:
        super().__init__(str(directory))
        self._stored = stored
        self._answers = answers

    def get(self, key: str) -> dict[str, Any] | None:
        """The outputs under a key; None where there are none, or they have changed."""
        path = Path(self._entry_path(key))
        if not self._answers or not path.is_file():
            return None
        entry = json.loads(path.read_text())
        if any(self._content(uri) != content for uri, content in entry["contents"].items()):
            return None
        outputs: dict[str, Any] = self._deserialize_outputs(entry["outputs"])
        return outputs

    def put(self, key: str, outputs: dict[str, Any]) -> None:
        """Keeps the outputs under a key; where one of them is missing, the entry is removed."""
        path = Path(self._entry_path(key))
        contents = {uri: self._content(uri) for uri in _addresses(outputs)}
        if None in contents.values():
            path.unlink(missing_ok=True)
            return
        entry = {"outputs": self._serialize_outputs(outputs), "contents": contents}
        files.write(path, json.dumps(entry))

    def _content(self, uri: str) -> str | None:
        """The digest of what is at an address; None: nothing. Other services are trusted."""
        if uri.startswith(STORED):
            stored = self._stored(uri)
            return _digest(stored.items()) if stored else None
        return "" if "://" in uri else content_digest(Path(uri))


def content_digest(path: Path) -> str | None:
    """SHA-256 over names and bytes of a file or a directory's files; None without any."""
    if path.is_file():
        return file_digest(path)
    if not path.is_dir():
        return None
    found = (file for file in path.rglob("*") if file.is_file())
    return _digest((file.relative_to(path).as_posix(), file_digest(file)) for file in found)


def _digest(items: Iterable[tuple[str, str]]) -> str:
    return hashlib.sha256(json.dumps(sorted(items)).encode()).hexdigest()


def _addresses(outputs: Mapping[str, Any]) -> Iterator[str]:
    for value in outputs.values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dsl.Artifact) and item.uri:
                yield item.uri
