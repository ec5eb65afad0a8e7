"""Checks a model's files and what is recorded of it against each other.

It finds damage, mix-ups, and a change that was not made everywhere. There is no signature: who can
write to the folder can write a model that is sound in itself.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from components.dataset.code import code_digest
from components.dataset.errors import DataError
from components.dataset.manifest import MANIFEST, content_digest, file_digest, read_manifest
from components.ingest.fashion_mnist import DIGESTS
from pipeline.runs import registry_files as files
from pipeline.runs.registry_files import RegistryError

State = Literal["ok", "note", "failed"]
BESIDE: Final = frozenset({MANIFEST, files.VERSION, files.EVALUATION, files.OWN_ALIASES})
"""Files of a version that are not the model's own."""
PROVENANCE: Final = ("parameters", "versions", "data", "code_digest")
"""What the manifest of a model says of its making."""
TOLERANCE: Final = 1e-6


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        check: What was looked at.
        state: ``ok``; ``note``: true, and worth knowing; ``failed``: it does not hold.
        text: What was found, in a sentence.
    """

    check: str
    state: State
    text: str


def verify(directory: Path, *, registered: bool = False) -> list[Finding]:
    """Checks a model: a version of the registry, or the output of a training.

    Args:
        directory: The SavedModel's directory.
        registered: Whether a registry holds it as a version, so that a record must be there.

    Returns:
        A finding for each check; what needs a manifest is left out where there is none.
    """
    try:
        manifest = read_manifest(directory)
        version = files.read_json(directory / files.VERSION)
        evaluation = files.read_json(directory / files.EVALUATION)
    except (DataError, RegistryError) as error:
        return [Finding("files", "failed", str(error))]
    findings = [_files(directory, manifest), _provenance(manifest)]
    if not registered and not (directory / files.VERSION).exists():
        return [*findings, _code(manifest), Finding("record", "note", "in no registry")]
    digest = content_digest(manifest)
    return [
        *findings,
        _record(directory, version, digest),
        _agreement(manifest, version),
        _data(version),
        _code(manifest),
        _evaluation(evaluation, version, digest),
    ]


def sound(findings: list[Finding]) -> bool:
    """Whether nothing failed."""
    return all(finding.state != "failed" for finding in findings)


def _files(directory: Path, manifest: Mapping[str, Any]) -> Finding:
    listed = {entry["name"]: entry["sha256"] for entry in manifest["files"]}
    wrong = sorted([*_strange(directory, set(listed)), *_changed(directory, listed)])
    if wrong:
        return Finding("files", "failed", "; ".join(wrong))
    return Finding("files", "ok", f"{len(listed)} files as the manifest lists them")


def _strange(directory: Path, listed: set[str]) -> Iterator[str]:
    """What is there and should not be."""
    for path in directory.rglob("*"):
        name = path.relative_to(directory).as_posix()
        if path.is_symlink():
            yield f"{name} is a link"
        elif not path.is_dir() and name not in listed | BESIDE:
            yield f"{name} is not in the manifest"


def _changed(directory: Path, listed: Mapping[str, str]) -> Iterator[str]:
    for name, expected in listed.items():
        if file_digest(directory / name) != expected:
            yield f"{name} has another content than the manifest says"


def _provenance(manifest: Mapping[str, Any]) -> Finding:
    if missing := [name for name in PROVENANCE if not manifest.get(name)]:
        return Finding("provenance", "failed", f"the manifest has no {', '.join(missing)}")
    packages = _mapping(manifest["versions"])
    versions = ", ".join(f"{name} {text}" for name, text in sorted(packages.items()))
    return Finding("provenance", "ok", f"parameters, data, code and packages: {versions}")


def _record(directory: Path, version: Mapping[str, Any], digest: str) -> Finding:
    if not (directory / files.VERSION).exists():
        return Finding("record", "failed", f"there is no {files.VERSION}")
    recorded = _digests(version).get("model")
    if recorded != digest:
        text = f"{files.VERSION} is of the model {_short(recorded)}, and this one is"
        return Finding("record", "failed", f"{text} {_short(digest)}")
    if files.sealed(version) != version:
        return Finding("record", "failed", f"{files.VERSION} was changed after it was written")
    return Finding("record", "ok", f"model {_short(digest)}, run {version.get('run', 'unknown')}")


def _agreement(manifest: Mapping[str, Any], version: Mapping[str, Any]) -> Finding:
    """Whether the manifest and the registry's record tell the same of the making."""
    digests, data = _digests(version), _mapping(manifest.get("data"))
    pairs = {
        "parameters": (manifest.get("parameters"), version.get("parameters")),
        "versions": (manifest.get("versions"), version.get("versions")),
        "code": (manifest.get("code_digest"), digests.get("code")),
        "training records": (data.get("train"), digests.get("train_records")),
        "validation records": (data.get("validation"), digests.get("validation_records")),
    }
    if other := [name for name, (own, recorded) in pairs.items() if own != recorded]:
        text = f"{MANIFEST} and {files.VERSION} differ in {', '.join(other)}"
        return Finding("agreement", "failed", text)
    return Finding("agreement", "ok", f"{MANIFEST} and {files.VERSION} tell the same")


def _data(version: Mapping[str, Any]) -> Finding:
    raw, verified = _digests(version).get("raw"), version.get("verified")
    if not isinstance(raw, dict) or raw.keys() != DIGESTS.keys():
        return Finding("data", "failed", f"{files.VERSION} does not name the four raw files")
    if raw == DIGESTS:
        return Finding("data", "ok", "FashionMNIST's own files")
    if verified is True:
        return Finding("data", "note", "another data set, verified by the digests it was given")
    if verified is False:
        return Finding("data", "note", "another data set, UNVERIFIED: it was allowed to be")
    return Finding("data", "failed", "another data set, and nothing says whether it was verified")


def _code(manifest: Mapping[str, Any]) -> Finding:
    recorded, own = manifest.get("code_digest"), code_digest("components.train.trainer.job")
    if recorded == own:
        return Finding("code", "ok", f"this checkout's trainer, {_short(own)}")
    return Finding("code", "note", f"another trainer than this checkout's: {_short(recorded)}")


def _evaluation(evaluation: Mapping[str, Any], version: Mapping[str, Any], digest: str) -> Finding:
    def failed(text: str) -> Finding:
        return Finding("evaluation", "failed", text)

    if not evaluation:
        return failed(f"there is no {files.EVALUATION}")
    if evaluation.get("model_digest") != digest:
        return failed(f"it is of the model {_short(evaluation.get('model_digest'))}")
    found = _attempt(lambda: float(evaluation["confidenceMetrics"][0]["recall"]))
    recorded = _attempt(lambda: float(version["metrics"]["accuracy"]))
    if not math.isclose(found, recorded, abs_tol=TOLERANCE):
        return failed(f"its accuracy is {found:.4f}, and {files.VERSION} says {recorded:.4f}")
    return Finding("evaluation", "ok", f"of this model: accuracy {found:.4f}")


def _attempt(read: Callable[[], float]) -> float:
    """A figure of a file; NaN, which equals nothing, where the file has another form."""
    try:
        return read()
    except (LookupError, TypeError, ValueError, OverflowError):
        return math.nan


def _digests(version: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(version.get("digests"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _short(digest: Any) -> str:
    return f"{digest[:12]}…" if isinstance(digest, str) and digest else "(unknown)"
