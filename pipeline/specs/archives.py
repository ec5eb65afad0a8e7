"""The code within a command: files in one text, packed so that equal files give equal text."""

import base64
import bz2
import gzip
import io
import json
import re
import tarfile
from typing import Final

Files = dict[str, bytes]

ARCHIVE: Final = re.compile(r"(__KFP_EMBEDDED_ARCHIVE_B64 = ')([A-Za-z0-9+/=]+)(')")
"""The embedded code within a step's command, as KFP writes it."""
SHARED: Final = "bz2:"
"""How the argument begins that has the code of all steps: JSON, compressed, in Base85."""
REPLACED: Final = ("<>&${", ".,:/[")
"""Digits of Base85 that take six bytes in Argo's JSON or mean something to Kubernetes, and others
in their place."""


def unpack(packed: str) -> Files:
    """The files of an embedded archive by name, sorted."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(packed)), mode="r:*") as tar:
        for member in sorted(tar, key=lambda each: each.name):
            if file := tar.extractfile(member):
                found[member.name.removeprefix("./")] = file.read()
    return found


def unpack_shared(packed: str) -> Files:
    """The files of the archive with the code of all steps by name, sorted."""
    before, after = REPLACED
    text = packed.removeprefix(SHARED).translate(str.maketrans(after, before))
    files: dict[str, str] = json.loads(bz2.decompress(base64.b85decode(text)))
    return {name: content.encode() for name, content in files.items()}


def pack_shared(files: Files) -> str:
    """The argument that has the code of all steps."""
    texts = {name: content.decode() for name, content in sorted(files.items())}
    text = base64.b85encode(bz2.compress(json.dumps(texts, ensure_ascii=False).encode())).decode()
    return SHARED + text.translate(str.maketrans(*REPLACED))


def pack(files: Files) -> str:
    """The embedded archive of files: ``archive`` in Base64."""
    return base64.b64encode(archive(files)).decode()


def archive(files: Files) -> bytes:
    """A gzipped tar of ``files`` without times, owners and modes of this machine."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), 9, mtime=0)
