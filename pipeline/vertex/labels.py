"""Labels of a job: valid by Google Cloud's rules, and where the code came from."""

import re
import subprocess
from collections.abc import Iterable
from typing import Final

from pipeline.compiler import PROJECT
from pipeline.errors import UsageError

KEY: Final = re.compile(r"[^\W\d_][\w-]{0,62}")
VALUE: Final = re.compile(r"[\w-]{0,63}")
MOST: Final = 64
"""Labels that a resource may have."""
RESERVED: Final = ("goog", "vertex-ai-pipelines", "aiplatform")
"""How the keys begin that Google Cloud keeps for itself."""
OWN: Final = ("git_revision", "git_dirty")


def of_checkout(revision: str) -> dict[str, str]:
    """The commit of this checkout, and whether the tree held something else.

    Args:
        revision: The commit; empty where this is no checkout: then there are no labels.
    """
    if not revision:
        return {}
    command = ["git", "-C", str(PROJECT), "status", "--porcelain"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        return {"git_revision": revision}
    return {"git_revision": revision, "git_dirty": "true" if done.stdout.strip() else "false"}


def parse(assignments: Iterable[str]) -> dict[str, str]:
    """Labels that a person gave as ``key=value``.

    Raises:
        UsageError: Not of that form, not valid as a label, or one of the project's own.
    """
    found: dict[str, str] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not equals:
            raise UsageError(f"--label {assignment}: give a label as key=value")
        if fault := _fault(key, value):
            raise UsageError(f"--label {assignment}: {fault}")
        found[key] = value
    if len(found) > MOST - len(OWN):
        raise UsageError(f"--label: {len(found)} labels, and {MOST - len(OWN)} are possible")
    return found


def _fault(key: str, value: str) -> str:
    if not KEY.fullmatch(key) or key != key.lower():
        return (
            f"the key {key!r} must begin with a lower-case letter and hold at most 63 lower-case "
            "letters, digits, _ and -"
        )
    if not VALUE.fullmatch(value) or value != value.lower():
        return (
            f"the value {value!r} may hold at most 63 lower-case letters, digits, _ and - "
            "(a dot is none of them: write 1_0)"
        )
    if key in OWN:
        return f"{key} is set by the command itself"
    if key.startswith(RESERVED):
        return f"keys that begin with {' or '.join(RESERVED)} are Google Cloud's own"
    return ""
