"""Looks every pinned package up in the public lists of known vulnerabilities.

``pip-audit`` does the look-up, in an environment of its own that ``uv`` makes. Where an index does
not have the lists, ``pip-audit`` takes every package as unknown and ends well; that is told apart
here, for nothing was audited then.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipeline.compiler import PROJECT

LOCKS: Final = (
    "requirements.lock",
    "requirements-cuda.lock",
    "requirements-notebook.lock",
    "serving/requirements.lock",
)
"""Between them every package of the project; that of the images is a part of the first."""
PIP_AUDIT: Final = "pip-audit==2.10.1"
VULNERABLE: Final = 1
UNAVAILABLE: Final = 4
"""The exit code that says that nothing can be said."""
SECONDS: Final = 900


class AuditUnavailable(Exception):
    """The lists could not be had."""


@dataclass(frozen=True)
class Report:
    """What the lists say of one lock.

    Attributes:
        packages: How many were looked up.
        unknown: Those that are in no list, with the reason.
        vulnerable: ``name version: id, …; fixed in …`` for each that has a known vulnerability.
    """

    packages: int
    unknown: tuple[str, ...]
    vulnerable: tuple[str, ...]


def read(answer: str) -> Report:
    """The answer of ``pip-audit --format json``.

    Raises:
        AuditUnavailable: It is none.
    """
    try:
        packages = json.loads(answer)["dependencies"]
        return Report(
            packages=len(packages),
            unknown=tuple(f"{each['name']}: {_reason(each)}" for each in packages if _reason(each)),
            vulnerable=tuple(_line(each) for each in packages if each.get("vulns")),
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise AuditUnavailable(f"pip-audit gave no answer ({error})") from error


def audit(uv: Sequence[str], lock: Path) -> Report:
    """Looks up the packages of one lock.

    Args:
        uv: The command of ``uv``.
        lock: A file of pinned packages.

    Raises:
        AuditUnavailable: ``pip-audit`` or its lists could not be had.
    """
    command = [*uv, "tool", "run", "--from", PIP_AUDIT, "pip-audit", "--disable-pip"]
    options = ["--require-hashes", "--requirement", str(lock), "--format", "json"]
    try:
        done = subprocess.run(  # noqa: S603
            [*command, *options, "--progress-spinner", "off"],
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AuditUnavailable(f"pip-audit did not run ({type(error).__name__})") from error
    try:
        return read(done.stdout)
    except AuditUnavailable as error:
        last = done.stderr.strip().rpartition("\n")[2]
        raise AuditUnavailable(f"{error}: {last}" if last else str(error)) from error


def main() -> int:
    """Audits all locks; returns the exit code."""
    uv = [str(Path(sys.executable).with_name("uv"))]
    reports, left_out = {}, []
    for name in LOCKS:
        _say(f"audit: looking up the packages of {name}")
        try:
            reports[name] = audit(uv, PROJECT / name)
        except AuditUnavailable as error:
            _say(f"audit: {name} was not looked up: {error}; look at the network and run again")
            left_out.append(name)
    if not reports:
        _say("audit: NOTHING WAS AUDITED")
        return UNAVAILABLE
    code = tell(reports)
    if left_out:
        _say(f"audit: THE AUDIT IS NOT COMPLETE: without {', '.join(left_out)}")
    return code or (UNAVAILABLE if left_out else 0)


def tell(reports: Mapping[str, Report]) -> int:
    """Says what was found; returns the exit code."""
    vulnerable = {line for report in reports.values() for line in report.vulnerable}
    for line in sorted(vulnerable):
        _say(line)
    packages = sum(report.packages for report in reports.values())
    unknown = sorted({line for report in reports.values() for line in report.unknown})
    looked_up = packages - sum(len(report.unknown) for report in reports.values())
    if unknown:
        _say(f"audit: {looked_up} of {packages} entries could be looked up; the first that could")
        _say(f"not: {unknown[0]}. The index that pip is set to has no lists, or is not to be had.")
    if vulnerable:
        _say(f"audit: {len(vulnerable)} packages have known vulnerabilities")
        return VULNERABLE
    if unknown:
        what = "NOTHING WAS AUDITED" if not looked_up else "THE AUDIT IS NOT COMPLETE"
        _say(f"audit: {what}")
        return UNAVAILABLE
    _say(f"audit: {packages} entries of {len(reports)} locks, no known vulnerability")
    return 0


def _reason(package: Mapping[str, Any]) -> str:
    return str(package.get("skip_reason", ""))


def _line(package: Mapping[str, Any]) -> str:
    found = ", ".join(each["id"] for each in package["vulns"])
    fixed = sorted({version for each in package["vulns"] for version in each["fix_versions"]})
    cure = f"fixed in {', '.join(fixed)}" if fixed else "no fixed version yet"
    return f"{package['name']} {package['version']}: {found}; {cure}"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
