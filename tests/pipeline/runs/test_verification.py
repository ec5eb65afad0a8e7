"""Each way in which a model can differ from what was recorded of it is found, and named."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.dataset.code import code_digest
from components.dataset.manifest import write_manifest
from components.ingest.fashion_mnist import DIGESTS
from pipeline.runs.registry import Registry, Version
from pipeline.runs.verification import Finding, sound, verify
from tests.pipeline.recorded_version import VARIABLES, flip_a_bit, lose_the_record, register


def states(findings: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.state for finding in findings}


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


def test_a_version_as_a_run_leaves_it_is_sound(version: Version) -> None:
    findings = verify(version.path)
    names = ("files", "provenance", "code", "record", "data", "evaluation")
    assert states(findings) == dict.fromkeys(names, "ok")
    assert sound(findings)


def lose_a_file(path: Path) -> None:
    (path / VARIABLES).unlink()


def add_a_file(path: Path) -> None:
    (path / "variables" / "more").write_bytes(b"")


def link_a_file(path: Path) -> None:
    (path / VARIABLES).replace(path.parent / "elsewhere")
    (path / VARIABLES).symlink_to(path.parent / "elsewhere")


def name_a_file_outside(path: Path) -> None:
    entry = {"name": "../aliases.json", "bytes": 1, "sha256": ""}
    edit(path / "manifest.json", lambda values: values["files"].append(entry))


def lose_the_manifest(path: Path) -> None:
    (path / "manifest.json").unlink()


def another_model(path: Path) -> None:
    """Files and manifest of another model under this one's record."""
    (path / VARIABLES).write_bytes(b"other weights")
    manifest = json.loads((path / "manifest.json").read_text())
    del manifest["files"]
    for name in ("version.json", "evaluation.json"):
        (path / name).rename(path.parent / name)
    write_manifest(path, **manifest)
    for name in ("version.json", "evaluation.json"):
        (path.parent / name).rename(path / name)


def forget_the_making(path: Path) -> None:
    edit(path / "manifest.json", lambda values: values.pop("parameters"))


def of_the_record(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    return lambda path: edit(path / "version.json", change)


def of_the_evaluation(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    return lambda path: edit(path / "evaluation.json", change)


@pytest.mark.parametrize(
    ("tamper", "check", "said"),
    [
        (flip_a_bit, "files", f"{VARIABLES} has another content"),
        (lose_a_file, "files", f"'{VARIABLES}' in .* is missing"),
        (add_a_file, "files", "variables/more is not in the manifest"),
        (link_a_file, "files", f"{VARIABLES} is a link"),
        (name_a_file_outside, "files", "name inside the directory"),
        (lose_the_manifest, "files", "has no manifest.json"),
        (lambda path: (path / "manifest.json").write_text("{"), "files", "not JSON"),
        (lambda path: (path / "version.json").write_text("{"), "files", "not JSON"),
        (lose_the_record, "record", "there is no version.json"),
        (another_model, "record", "is of the model .*, not "),
        (forget_the_making, "provenance", "has no parameters"),
        (of_the_record(lambda v: v.update(run="run-2")), "record", "was changed after"),
        (of_the_record(lambda v: v["digests"].pop("model")), "record", "model .unknown"),
        (of_the_record(lambda v: v["parameters"].update(seed=4)), "record", "parameters"),
        (of_the_record(lambda v: v.pop("versions")), "record", "versions"),
        (of_the_record(lambda v: v["digests"].update(code="0")), "record", "code"),
        (of_the_record(lambda v: v["digests"].update(raw={})), "data", "does not say what it was"),
        (of_the_record(lambda v: v.update(digests=[])), "record", "unknown"),
        (of_the_evaluation(lambda v: v.update(model_digest="0" * 64)), "evaluation", "0000…"),
        (
            of_the_evaluation(lambda v: v.pop("confidenceMetrics")),
            "evaluation",
            "no accuracy",
        ),
        (
            of_the_evaluation(lambda v: v["confidenceMetrics"][0].update(recall=0.99)),
            "evaluation",
            "0.9900, and version.json says 0.9411",
        ),
        (lambda path: (path / "evaluation.json").unlink(), "evaluation", "no evaluation.json"),
    ],
)
def test_what_was_tampered_with_fails_and_is_named(
    version: Version, tamper: Callable[[Path], None], check: str, said: str
) -> None:
    tamper(version.path)
    findings = verify(version.path, registered=True)
    assert not sound(findings)
    (found,) = [each for each in findings if each.check == check]
    assert found.state == "failed"
    assert re.search(said, found.text), found.text


def test_the_evaluation_of_another_model_is_found(
    version: Version, registry: Registry, tmp_path: Path
) -> None:
    other = register(registry, tmp_path / "second")
    shutil.copyfile(other.path / "evaluation.json", version.path / "evaluation.json")
    assert states(verify(version.path))["evaluation"] == "failed"
    assert sound(verify(other.path))


@pytest.mark.parametrize(
    ("verified", "state"), [(True, "note"), (False, "note"), (None, "failed"), ("yes", "failed")]
)
def test_other_data_must_say_whether_it_was_verified(
    registry: Registry, tmp_path: Path, verified: object, state: str
) -> None:
    code = code_digest("components.train.trainer.job")
    digests = {"raw": dict.fromkeys(DIGESTS, "0" * 64), "code": code}
    version = register(registry, tmp_path / "first", digests=digests, verified=verified)
    assert states(verify(version.path))["data"] == state


def test_other_code_than_the_checkouts_is_a_note(version: Version) -> None:
    edit(version.path / "manifest.json", lambda values: values.update(code_digest="0" * 64))
    assert states(verify(version.path))["code"] == "note"


def test_the_output_of_a_training_is_checked_by_its_manifest_alone(
    version: Version, tmp_path: Path
) -> None:
    findings = verify(tmp_path / "first")
    assert states(findings)["record"] == "note"
    assert sound(findings)
    flip_a_bit(tmp_path / "first")
    assert not sound(verify(tmp_path / "first"))


def test_a_directory_without_a_model_fails(tmp_path: Path) -> None:
    assert states(verify(tmp_path)) == {"files": "failed"}
