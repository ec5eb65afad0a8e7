"""The cache of ``kfp.local``, which checks that earlier outputs are still what their step made."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from kfp import dsl
from kfp.local.cache import LocalCache

from components.dataset.manifest import file_digest

CONTENTS: Final = "contents"
"""The key of an entry with the digest of what is at each address."""


class StepCache(LocalCache):  # type: ignore[misc]
    """The cache of one root: each entry also has digests of the outputs' content.

    A kill, a full disk or a clean-up can leave a part of an output; kfp's own cache would answer
    with it as long as something is there. ``stored`` returns the checksums of the objects below a
    ``gs://`` address. Outputs are kept even if it never answers, so that no later run gets older
    ones.
    """

    def __init__(
        self, directory: Path, stored: Callable[[str], Mapping[str, str]], *, answers: bool = True
    ) -> None:
        super().__init__(str(directory))
        self._stored = stored
        self._answers = answers

    def get(self, key: str) -> dict[str, Any] | None:
        """The outputs under a key; None where there are none, or they may have changed."""
        outputs: dict[str, Any] | None = super().get(key) if self._answers else None
        # What nobody verified may be something else by now.
        if outputs is None or any(a.metadata.get("verified") is False for a in _artifacts(outputs)):
            return None
        before, now = outputs.pop(CONTENTS), self._contents(outputs)
        return outputs if before == now and all(now.values()) else None

    def put(self, key: str, outputs: dict[str, Any]) -> None:
        """Keeps the outputs under a key."""
        super().put(key, {**outputs, CONTENTS: self._contents(outputs)})

    def _contents(self, outputs: Mapping[str, Any]) -> dict[str, str]:
        return {artifact.uri: self._content(artifact.uri) for artifact in _artifacts(outputs)}

    def _content(self, uri: str) -> str:
        if uri.startswith("gs://"):
            stored = self._stored(uri)
            return _digest(stored.items()) if stored else ""
        return "trusted" if "://" in uri else _content_digest(Path(uri))


def _content_digest(path: Path) -> str:
    """SHA-256 over names and bytes of a file or a directory's files; empty where there is none."""
    if path.is_file():
        return file_digest(path)
    if not path.is_dir():
        return ""
    found = (file for file in path.rglob("*") if file.is_file())
    return _digest((file.relative_to(path).as_posix(), file_digest(file)) for file in found)


def _digest(items: Iterable[tuple[str, str]]) -> str:
    return hashlib.sha256(json.dumps(sorted(items)).encode()).hexdigest()


def _artifacts(outputs: Mapping[str, Any]) -> Iterator[dsl.Artifact]:
    items = (each for value in outputs.values() for each in _as_list(value))
    return (item for item in items if isinstance(item, dsl.Artifact) and item.uri)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
