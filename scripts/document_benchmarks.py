"""Puts what ``make bench`` measured into README and docs/: ``make figures``.

What is measured stands between ``<!-- measured -->`` and ``<!-- end -->``.
"""

import re
import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.__main__ import OUTPUT
from benchmarks.accuracy import PEER_EPOCHS, PEERS, THRESHOLD, Trained
from benchmarks.results import Results
from pipeline.compiler import PROJECT

MEASURED: Final = re.compile(r"(<!-- measured -->\n).*?(<!-- end -->)", re.DOTALL)
PLOT: Final = "accuracy.svg"


def main(folder: Path, project: Path) -> None:
    """Writes tables and plot.

    Raises:
        SystemExit: Nothing has been measured.
    """
    results = Results(folder)
    if not results.runs:
        raise SystemExit(f"error: {folder} holds no training runs; `make bench` measures them")
    _write(project / "README.md", summary(results.runs))
    _write(project / "docs" / "benchmarks.md", (folder / "results.md").read_text())
    shutil.copyfile(folder / PLOT, project / "docs" / "pictures" / PLOT)


def summary(runs: Sequence[Trained]) -> str:
    """Presets and peers in a table: medians over their seeds.

    ``never`` stands for a seed that did not reach the threshold, if half of them or more did not.
    """
    lines = [
        "| | seeds | test accuracy | seconds of training | "
        f"validation accuracy of {THRESHOLD} after |",
        "|---|---|---|---|---|",
    ]
    for who in dict.fromkeys(run.who for run in runs):
        own = [run for run in runs if run.who == who]
        accuracy = statistics.median(run.test_accuracy for run in own)
        seconds = statistics.median(run.seconds for run in own)
        reached = sorted(run.seconds_to(THRESHOLD) or float("inf") for run in own)[len(own) // 2]
        after = "never" if reached == float("inf") else f"{reached:.0f} s"
        lines.append(f"| {_name(who)} | {len(own)} | {accuracy:.4f} | {seconds:,.0f} | {after} |")
    return "".join(f"{line}\n" for line in lines)


def _name(who: str) -> str:
    if who in PEERS:
        return f"{PEERS[who]}, {PEER_EPOCHS[who]} epochs"
    return "the default" if who == "default" else f"`{who}`"


def _write(page: Path, measured: str) -> None:
    page.write_text(
        MEASURED.sub(lambda found: f"{found[1]}\n{measured}\n{found[2]}", page.read_text())
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT, PROJECT)
