"""Each way in which a model can differ from what was recorded about it is found and named."""

import functools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.dataset.code import code_digest
from components.ingest.fashion_mnist import DIGESTS
from pipeline.runs.registry import Registry, Version
from pipeline.runs.verification import Finding, sound, verify
from tests.pipeline.recorded_version import VARIABLES, flip_a_bit, lose_the_record, register

Tamper = Callable[[Path], object]


def states(findings: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.state for finding in findings}


def edited(name: str, change: Callable[[dict[str, Any]], object]) -> Tamper:
    def tamper(path: Path) -> None:
        values = json.loads((path / name).read_text())
        change(values)
        (path / name).write_text(json.dumps(values))

    return tamper


in_manifest = functools.partial(edited, "manifest.json")
in_record = functools.partial(edited, "version.json")
in_evaluation = functools.partial(edited, "evaluation.json")


def link_a_file(path: Path) -> None:
    (path / VARIABLES).replace(path.parent / "elsewhere")
    (path / VARIABLES).symlink_to(path.parent / "elsewhere")


OUTSIDE = {"name": "../.lock", "bytes": 1, "sha256": ""}


def test_a_version_as_a_run_leaves_it_is_sound(version: Version) -> None:
    findings = verify(version.path)
    names = ("files", "provenance", "code", "record", "data", "evaluation")
    assert states(findings) == dict.fromkeys(names, "ok")
    assert sound(findings)


@pytest.mark.parametrize(
    ("tamper", "check", "said"),
    [
        (flip_a_bit, "files", f"{VARIABLES} has another content"),
        (lambda path: (path / VARIABLES).unlink(), "files", f"'{VARIABLES}' in .* is missing"),
        (in_manifest(lambda own: own.update(versions=[1])), "files", "not as a run writes it"),
        (lambda path: (path / "more").touch(), "files", "more is not in the manifest"),
        (link_a_file, "files", f"{VARIABLES} is a link"),
        (in_manifest(lambda v: v["files"].append(OUTSIDE)), "files", "not inside the directory"),
        (lambda path: (path / "manifest.json").unlink(), "files", r"has no manifest\.json"),
        (lambda path: (path / "version.json").write_text("{"), "files", "not JSON"),
        (in_record(lambda v: v.update(digests=[])), "files", "digests has a wrong type"),
        (in_manifest(lambda v: v.pop("parameters")), "provenance", "has no parameters"),
        (lose_the_record, "record", r"there is no version\.json"),
        (
            in_manifest(lambda v: v.update(model_digest="f" * 64)),
            "record",
            "of the model .*, not f",
        ),
        (in_record(lambda v: v.update(run="run-2")), "record", "was changed after"),
        (in_record(lambda v: v["parameters"].update(seed=4)), "record", "differ in parameters"),
        (in_record(lambda v: v["digests"].update(raw={})), "data", "does not say"),
        (in_evaluation(lambda v: v.update(model_digest="0" * 64)), "evaluation", "0000…"),
        (
            in_evaluation(lambda v: v["confidenceMetrics"][0].update(recall=0.99)),
            "evaluation",
            r"0\.9900, and version\.json says 0\.9411",
        ),
        (lambda path: (path / "evaluation.json").unlink(), "evaluation", "no evaluation"),
    ],
)
def test_what_was_tampered_with_fails_and_is_named(
    version: Version, tamper: Tamper, check: str, said: str
) -> None:
    tamper(version.path)
    findings = verify(version.path, registered=True)
    assert not sound(findings)
    (found,) = [each for each in findings if each.check == check]
    assert found.state == "failed"
    assert re.search(said, found.text), found.text


@pytest.mark.parametrize(("verified", "state"), [(True, "note"), (False, "note"), (1, "failed")])
def test_other_data_must_say_whether_it_was_verified(
    registry: Registry, tmp_path: Path, verified: object, state: str
) -> None:
    code = code_digest("components.train.trainer.job")
    digests = {"raw": dict.fromkeys(DIGESTS, "0" * 64), "code": code}
    version = register(registry, tmp_path / "first", digests=digests, verified=verified)
    assert states(verify(version.path))["data"] == state


def test_other_code_than_the_checkouts_is_a_note(version: Version) -> None:
    in_manifest(lambda v: v.update(code_digest="0" * 64))(version.path)
    assert states(verify(version.path))["code"] == "note"


def test_the_output_of_a_training_is_checked_by_its_manifest_alone(
    version: Version, tmp_path: Path
) -> None:
    findings = verify(tmp_path / "first")
    assert states(findings)["record"] == "note"
    assert sound(findings)
    flip_a_bit(tmp_path / "first")
    assert not sound(verify(tmp_path / "first"))
