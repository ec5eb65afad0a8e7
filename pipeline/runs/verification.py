"""Checks a model's files and what is recorded about it against each other.

It finds damage and mix-ups. There is no signature: whoever can write to the folder can write a
model that passes.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from components.dataset.code import code_digest
from components.dataset.errors import DataError
from components.dataset.manifest import MANIFEST, file_digest, model_digest, read_manifest
from components.ingest.fashion_mnist import DIGESTS
from pipeline.runs.version_record import (
    EVALUATION,
    VERSION,
    RegistryError,
    read_json,
    read_version,
    sealed,
)

BESIDE: Final = frozenset({MANIFEST, VERSION, EVALUATION})
"""Files of a version that are not the model's own."""
PROVENANCE: Final = ("parameters", "versions", "data", "code_digest")
TOLERANCE: Final = 1e-6
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Finding:
    """What one check found; ``note``: it holds, and is worth knowing."""

    check: str
    state: Literal["ok", "note", "failed"]
    text: str


def verify(directory: Path, *, registered: bool = False) -> list[Finding]:
    """Checks a model: a version of the registry, or the output of a training.

    If a registry holds it, there must be a record. Without a manifest, only ``files`` is checked.
    """
    try:
        return _findings(directory, registered)
    except (DataError, RegistryError) as error:
        return [Finding("files", "failed", str(error))]
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        return [Finding("files", "failed", f"a file is not as a run writes it ({error})")]


def _findings(directory: Path, registered: bool) -> list[Finding]:
    manifest = read_manifest(directory)
    version, evaluation = read_version(directory), read_json(directory / EVALUATION)
    findings = [_files(directory, manifest), _provenance(manifest), _code(manifest)]
    if not registered and not (directory / VERSION).exists():
        return [*findings, Finding("record", "note", "in no registry")]
    digest = model_digest(directory)
    return [
        *findings,
        _record(manifest, version, digest),
        _data(version),
        _evaluation(evaluation, version, digest),
    ]


def sound(findings: list[Finding]) -> bool:
    """Whether nothing failed."""
    return all(finding.state != "failed" for finding in findings)


def _files(directory: Path, manifest: Values) -> Finding:
    listed = {entry["name"]: entry["sha256"] for entry in manifest["files"]}
    if wrong := sorted(_differences(directory, listed)):
        return Finding("files", "failed", "; ".join(wrong))
    return Finding("files", "ok", f"{len(listed)} files as the manifest lists them")


def _differences(directory: Path, listed: Values) -> Iterator[str]:
    for path in directory.rglob("*"):
        name = path.relative_to(directory).as_posix()
        if path.is_symlink():
            yield f"{name} is a link"
        elif not path.is_dir() and name not in {*listed, *BESIDE}:
            yield f"{name} is not in the manifest"
    for name, digest in listed.items():
        if file_digest(directory / name) != digest:
            yield f"{name} has another content than the manifest says"


def _provenance(manifest: Values) -> Finding:
    if missing := [name for name in PROVENANCE if not manifest.get(name)]:
        return Finding("provenance", "failed", f"the manifest has no {', '.join(missing)}")
    packages = ", ".join(f"{name} {text}" for name, text in sorted(manifest["versions"].items()))
    return Finding("provenance", "ok", f"parameters, data, code and packages: {packages}")


def _code(manifest: Values) -> Finding:
    recorded, own = manifest.get("code_digest"), code_digest("components.train.trainer.job")
    if recorded == own:
        return Finding("code", "ok", f"this checkout's trainer, {_short(own)}")
    return Finding("code", "note", f"another trainer than this checkout's: {_short(recorded)}")


def _record(manifest: Values, version: Values, digest: str) -> Finding:
    if not version:
        return Finding("record", "failed", f"there is no {VERSION}")
    digests, data = version.get("digests", {}), manifest.get("data") or {}
    if digests.get("model") != digest:
        text = f"{VERSION} is of the model {_short(digests.get('model'))}, not {_short(digest)}"
        return Finding("record", "failed", text)
    pairs = {
        "parameters": (manifest.get("parameters"), version.get("parameters")),
        "versions": (manifest.get("versions"), version.get("versions")),
        "code": (manifest.get("code_digest"), digests.get("code")),
        "training records": (data.get("train"), digests.get("train_records")),
        "validation records": (data.get("validation"), digests.get("validation_records")),
    }
    if differing := [name for name, (own, recorded) in pairs.items() if own != recorded]:
        text = f"{MANIFEST} and {VERSION} differ in {', '.join(differing)}"
        return Finding("record", "failed", text)
    if sealed(version) != version:
        return Finding("record", "failed", f"{VERSION} was changed after it was written")
    return Finding("record", "ok", f"model {_short(digest)}, run {version.get('run', 'unknown')}")


def _data(version: Values) -> Finding:
    raw, verified = version.get("digests", {}).get("raw"), version.get("verified")
    if raw == DIGESTS:
        return Finding("data", "ok", "FashionMNIST's own files")
    if raw and verified is True:
        return Finding("data", "note", "another data set, verified by the digests it was given")
    if raw and verified is False:
        return Finding("data", "note", "another data set, unverified (allow_unverified=true)")
    return Finding("data", "failed", f"{VERSION} does not say what it was and if it was verified")


def _evaluation(evaluation: Values, version: Values, digest: str) -> Finding:
    if not evaluation:
        return Finding("evaluation", "failed", f"there is no {EVALUATION}")
    if evaluation.get("model_digest") != digest:
        text = f"it is of the model {_short(evaluation.get('model_digest'))}"
        return Finding("evaluation", "failed", text)
    try:
        accuracy = float(evaluation["confidenceMetrics"][0]["recall"])
        recorded = float(version["metrics"]["accuracy"])
    except (LookupError, TypeError, ValueError):
        return Finding("evaluation", "failed", "there is no accuracy in it, or in the record")
    if not math.isclose(accuracy, recorded, abs_tol=TOLERANCE):
        text = f"its accuracy is {accuracy:.4f}, and {VERSION} says {recorded:.4f}"
        return Finding("evaluation", "failed", text)
    return Finding("evaluation", "ok", f"of this model: accuracy {accuracy:.4f}")


def _short(digest: Any) -> str:
    return f"{digest[:12]}…" if isinstance(digest, str) and digest else "(unknown)"
