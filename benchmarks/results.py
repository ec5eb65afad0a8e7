"""What was measured, part by part, in a file that a later measurement of another part adds to."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import revision, table
from .accuracy import Trained
from .figure import Figure


class Results:
    """The figures in ``results.json`` of a folder; ``results.md`` and the plot are made of it.

    Args:
        folder: Made when it is missing. Figures of another machine or other packages there are
            forgotten.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._machine = table.machine()
        self._parts: dict[str, Any] = {}
        path = folder / "results.json"
        if path.exists():
            known = json.loads(path.read_text())
            self._parts = known["parts"] if known["machine"] == self._machine else {}

    def add(self, part: str, figures: Sequence[Figure], runs: Sequence[Trained] = ()) -> None:
        """Takes the figures of a part, instead of older ones, and writes them."""
        self._parts[part] = {
            "revision": revision.revision(),
            "figures": [figure.as_json() for figure in figures],
            "runs": [run.as_json() for run in runs],
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        facts = {"machine": self._machine, "parts": self._parts}
        (self.folder / "results.json").write_text(json.dumps(facts, indent=1) + "\n")
        below = filter(None, (self.revisions, self._machine))
        page = "\n\n".join([table.markdown(self.figures).rstrip("\n"), *below])
        (self.folder / "results.md").write_text(f"{page}\n")

    @property
    def revisions(self) -> str:
        """The revision of the code, or which parts are of which one."""
        parts: dict[str, list[str]] = {}
        for name, part in self._parts.items():
            # Older files have none.
            parts.setdefault(part.get("revision") or "an unknown one", []).append(name)
        if len(parts) < 2:
            return "".join(f"Measured at revision {commit} of the code" for commit in parts)
        told = (f"{', '.join(names)} of {commit}" for commit, names in parts.items())
        return f"Measured at several revisions of the code: {'; '.join(told)}"

    @property
    def figures(self) -> list[Figure]:
        """Those of all parts."""
        return [Figure.from_json(each) for part in self._parts.values() for each in part["figures"]]

    @property
    def runs(self) -> list[Trained]:
        """The training runs of all parts."""
        return [Trained(**each) for part in self._parts.values() for each in part["runs"]]
