"""Archives as a compiled spec embeds them: of plain files, of others, and worse."""

import base64
import gzip
import json
import tarfile
from typing import Final, Literal

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

NAMES: Final = st.sampled_from(["a", "./a", "b/c", "../a", "/etc/passwd", "a" * 300, "\udcff"])
KINDS: Final = st.sampled_from(
    [
        *(tarfile.REGTYPE, tarfile.REGTYPE, tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE),
        *(tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.GNUTYPE_SPARSE, b"?"),
    ]
)
LAYOUTS: Final[SearchStrategy[Literal[1, 2]]] = st.sampled_from(
    [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
)
SIZES: Final = st.integers(0, 3)


def link(name: str = "a", to: str = "a") -> bytes:
    """An archive with a symbolic link, to itself unless told otherwise."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, to
    return info.tobuf() + bytes(1024)


def chain(length: int = 500) -> bytes:
    """Headers that each say something of the next."""
    info = tarfile.TarInfo("a")
    info.type = tarfile.GNUTYPE_LONGNAME
    return info.tobuf(tarfile.GNU_FORMAT) * length


def endless() -> bytes:
    """A file of so negative a size that its header follows itself."""
    header = bytearray(tarfile.TarInfo("a").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = (-512).to_bytes(12, "big", signed=True)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + bytes(1024)


def bomb(size: int = 1 << 30) -> bytes:
    """A file of zeros, packed to a thousandth part."""
    info = tarfile.TarInfo("a")
    info.size = size
    return info.tobuf() + bytes(size)


@st.composite
def _tars(draw: st.DrawFn) -> bytes:
    content = b""
    for _ in range(draw(st.integers(0, 3))):
        info = tarfile.TarInfo(draw(NAMES))
        info.type, info.linkname = draw(KINDS), draw(NAMES)
        info.size = draw(SIZES)
        content += info.tobuf(draw(LAYOUTS), errors="surrogateescape")
        content += b"text".ljust(512) if info.size else b""
    return content + bytes(1024)


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    content = bytearray(draw(_tars()))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(content) - 1))
        content[place] = draw(st.integers(0, 255))
    return bytes(content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content)


def embedded(tar: bytes) -> str:
    """A line of a step's command that holds an archive, as kfp writes it."""
    packed = base64.b64encode(gzip.compress(tar, 1, mtime=0)).decode()
    return f"__KFP_EMBEDDED_ARCHIVE_B64 = '{packed}'"


def _spec(command: str) -> bytes:
    """A spec whose one step has the command."""
    task = {"componentRef": {"name": "a"}, "taskInfo": {"name": "a"}}
    return json.dumps(
        {
            "pipelineInfo": {"name": "p"},
            "root": {"dag": {"tasks": {"a": task}}},
            "deploymentSpec": {
                "executors": {"e": {"container": {"image": "", "command": [command]}}}
            },
            "components": {"a": {"executorLabel": "e"}},
        }
    ).encode()


WORST: Final = st.sampled_from([link(), chain(), endless()])
SPECS: Final[SearchStrategy[bytes]] = (_tars() | _damaged() | WORST).map(embedded).map(_spec)
"""Compiled specs that embed such archives."""
