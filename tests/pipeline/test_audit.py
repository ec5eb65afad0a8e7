"""What ``make audit`` makes of the answers of ``pip-audit``."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline import audit
from pipeline.audit import UNAVAILABLE, VULNERABLE, AuditUnavailable, Report
from pipeline.compiler import PROJECT

SOUND = {"name": "rich", "version": "14.0", "vulns": []}
UNKNOWN = {"name": "six", "skip_reason": "not found on PyPI"}
VULNS = [
    {"id": "PYSEC-1", "fix_versions": ["2.1", "2.2"]},
    {"id": "GHSA-2", "fix_versions": ["2.2"]},
]
BAD = {"name": "urllib3", "version": "2.0", "vulns": VULNS}


def answer(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def told(capsys: pytest.CaptureFixture[str], *packages: dict[str, Any]) -> tuple[int, str]:
    code = audit.tell({"requirements.lock": audit.read(answer(*packages))})
    return code, capsys.readouterr().out


def test_packages_without_a_known_vulnerability_are_the_good_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert told(capsys, SOUND) == (0, "audit: 1 entries of 1 locks, no known vulnerability\n")


def test_a_known_vulnerability_is_named_with_its_cure(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, SOUND, BAD, UNKNOWN)
    assert code == VULNERABLE
    assert "urllib3 2.0: PYSEC-1, GHSA-2; fixed in 2.1, 2.2\n" in out


def test_an_index_without_the_lists_is_not_taken_for_a_good_end(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out = told(capsys, UNKNOWN)
    assert code == UNAVAILABLE
    assert "NOTHING WAS AUDITED" in out


def test_a_part_that_was_not_looked_up_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, out = told(capsys, SOUND, UNKNOWN)
    assert code == UNAVAILABLE
    assert "1 of 2 entries" in out
    assert "NOT COMPLETE" in out


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"dependencies": 1}', "null"])
def test_no_answer_is_no_audit(text: str) -> None:
    with pytest.raises(AuditUnavailable):
        audit.read(text)


def command(folder: Path, body: str) -> list[str]:
    """Stands for ``uv``."""
    path = folder / "uv.py"
    path.write_text(body)
    return [sys.executable, str(path)]


def test_the_lock_is_given_to_pip_audit_with_its_hashes(tmp_path: Path) -> None:
    body = f"import sys\nopen({str(tmp_path / 'given')!r}, 'w').write(' '.join(sys.argv[1:]))\n"
    uv = command(tmp_path, f"{body}print({answer(SOUND)!r})")
    lock = tmp_path / "requirements.lock"
    assert audit.audit(uv, lock) == Report(1, (), ())
    given = (tmp_path / "given").read_text()
    assert given.startswith(f"tool run --from {audit.PIP_AUDIT} pip-audit ")
    assert f"--require-hashes --requirement {lock} --format json" in given


def test_what_kept_pip_audit_from_an_answer_is_told(tmp_path: Path) -> None:
    uv = command(tmp_path, "import sys; sys.exit('error: no network')")
    with pytest.raises(AuditUnavailable, match=r"gave no answer .*: error: no network"):
        audit.audit(uv, tmp_path)
    with pytest.raises(AuditUnavailable, match="did not run"):
        audit.audit([str(tmp_path / "no-uv")], tmp_path)


@pytest.mark.parametrize(("found", "code"), [(BAD, VULNERABLE), (SOUND, UNAVAILABLE)])
def test_what_was_found_is_told_though_a_lock_could_not_be_looked_up(
    found: dict[str, Any],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def audited(uv: object, lock: Path) -> Report:
        if lock.name == "requirements-cuda.lock":
            raise AuditUnavailable("pip-audit did not run (TimeoutExpired)")
        return audit.read(answer(found))

    monkeypatch.setattr(audit, "audit", audited)
    assert audit.main() == code
    out = capsys.readouterr().out
    assert ("urllib3 2.0: PYSEC-1" in out) == (found is BAD)
    assert "requirements-cuda.lock was not looked up: pip-audit did not run" in out
    assert "NOT COMPLETE" in out


def test_every_lock_is_audited() -> None:
    found = (*PROJECT.glob("*.lock"), *PROJECT.glob("[!.]*/*.lock"))
    locks = {path.relative_to(PROJECT).as_posix() for path in found}
    # A test of the images says that this one is a part of the whole.
    assert set(audit.LOCKS) == locks - {"requirements-image.lock"}
