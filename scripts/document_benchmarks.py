"""Puts what ``make bench`` measured into README and docs/: ``make figures``.

What is measured stands between ``<!-- measured in float32 -->`` and ``<!-- end -->``, that of a
machine which computes bfloat16 between ``<!-- measured in bfloat16 -->`` and such an end.
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

MEASURED: Final = r"(<!-- measured in %s -->\n).*?(<!-- end -->)"
PLOT: Final = "accuracy.svg"


def main(folder: Path, project: Path) -> None:
    """Writes tables and plot, in the place of the precision that the presets were trained in.

    Raises:
        SystemExit: No preset has been measured, or by a revision that kept no precision.
    """
    runs = Results(folder).runs
    precision = next((run.precision for run in runs if run.precision), "")
    if not precision:
        raise SystemExit(
            f"error: {folder} holds no training of a preset with its precision; "
            "`make bench` measures them"
        )
    _write(project / "README.md", precision, summary(runs))
    _write(project / "docs" / "benchmarks.md", precision, (folder / "results.md").read_text())
    shutil.copyfile(folder / PLOT, project / "docs" / "pictures" / f"accuracy-{precision}.svg")


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


def _write(page: Path, precision: str, measured: str) -> None:
    place = re.compile(MEASURED % precision, re.DOTALL)
    page.write_text(
        place.sub(lambda found: f"{found[1]}\n{measured}\n{found[2]}", page.read_text())
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT, PROJECT)
