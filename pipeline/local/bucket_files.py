"""The files of the local bucket: how an object comes to be on disk, and what is looked at first.

The emulator keeps an object's bytes in one file and what it knows of all objects in another, its
index. Here each is written whole or not at all; between the two the bytes that an object had
before are kept, so that a kill leaves the old object or the new one.
"""

import contextlib
import hashlib
import json
import logging
import os
import shutil
from pathlib import Path
from typing import Any, Final

from gcp_storage_emulator.settings import STORAGE_DIR
from gcp_storage_emulator.storage import RESUMABLE_DIR, SOFT_DELETE_DIR, _FileStore

from components.dataset.bucket import crc32c_of
from pipeline import files as durable

INDEX: Final = ".meta"
BEFORE: Final = ".before"
"""The folder of what objects were until the index knows their new bytes."""

log = logging.getLogger(__name__)


class BucketFiles(_FileStore):  # type: ignore[misc]
    """The emulator's files on disk, each found whole or not at all."""

    def __init__(self, root: Path) -> None:
        super().__init__(use_memory=False, root=root)
        self.before = root / BEFORE

    def write_bytes(self, rel: str, content: bytes) -> None:
        """Writes a file; that of an upload under way need not outlive a power cut."""
        path = self._disk_path(rel)
        path.parent.mkdir(parents=True, exist_ok=True)
        if rel == INDEX:
            durable.write(path, content)
            shutil.rmtree(self.before, ignore_errors=True)
            return
        if path.exists():
            self.before.mkdir(exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.link(path, self._before(rel))
                durable.sync_file(self.before)
        durable.write(path, content, sync=not rel.startswith(RESUMABLE_DIR))

    def restore(self, rel: str, crc32c: str) -> bool:
        """Whether a file has a CRC32C (base64), if need be by what it was before."""
        path = self._disk_path(rel)
        if path.is_file() and crc32c_of(path) == crc32c:
            return True
        before = self._before(rel)
        if not before.is_file() or crc32c_of(before) != crc32c:
            return False
        before.replace(path)
        return True

    def _before(self, rel: str) -> Path:
        return self.before / hashlib.sha256(rel.encode()).hexdigest()


def set_aside_damaged_index(directory: Path) -> None:
    """Moves an index away that cannot be read; without one the emulator begins anew."""
    index = directory / STORAGE_DIR / INDEX
    try:
        json.loads(index.read_bytes())
    except FileNotFoundError:
        return
    except ValueError:
        log.warning("%s is damaged; what the bucket had is made anew", index)
        index.replace(index.with_name(f"{INDEX}.damaged"))


def mend(storage: Any) -> None:
    """Lets the emulator know only of objects whose bytes are there, and clears what is left over.

    What a dead process had not finished is removed: uploads, and deleted objects, which a bucket
    of this machine need not keep.

    Args:
        storage: The emulator's; its files are replaced by ``BucketFiles``.
    """
    root = storage._store._root
    files = storage._store = BucketFiles(root)
    for bucket, objects in storage.objects.items():
        for name, facts in list(objects.items()):
            if not files.restore(storage._object_path(bucket, name), facts["crc32c"]):
                log.warning("gs://%s/%s is damaged; it is made anew", bucket, name)
                del objects[name]
    for bucket in storage.buckets.values():
        bucket["softDeletePolicy"] = {"retentionDurationSeconds": "0"}
    storage.resumable.clear()
    storage.soft_deleted.clear()
    for name in (RESUMABLE_DIR, SOFT_DELETE_DIR):
        shutil.rmtree(root / name, ignore_errors=True)
    for path in root.rglob(f"{durable.UNFINISHED}*"):
        path.unlink()
    storage._write_config_to_file()
