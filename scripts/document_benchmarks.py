"""Copies what ``make bench`` measured into the documents: ``make figures``.

It replaces what is between ``<!-- measured in PRECISION -->`` and ``<!-- end -->``, and between
``<!-- photos -->`` and ``<!-- end -->``.
"""

import json
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.__main__ import OUTPUT
from benchmarks.accuracy import LONG, PEER_EPOCHS, PEERS, SHORT
from pipeline.compiler import PROJECT

PHOTOS: Final = re.compile(r"(<!-- photos -->\n).*?(<!-- end -->)", re.DOTALL)


def main(folder: Path, project: Path) -> None:
    """Writes the tables and the plot of the precision in which the presets were trained."""
    path = folder / "results.json"
    parts = json.loads(path.read_text())["parts"] if path.exists() else {}
    if "photos" in parts:
        page = project / "docs" / "predictions.md"
        text = PHOTOS.sub(rf"\1\n{photos(parts['photos'])}\n\2", page.read_text())
        page.write_text(text)
    runs = [run for part in parts.values() for run in part["runs"]]
    precision = next((run["precision"] for run in runs if run["precision"]), "")
    if not precision and "photos" in parts:
        return
    if not precision:
        raise SystemExit(f"error: {folder} has no training of a preset; run `make bench`")
    pages = {
        "README.md": summary(parts),
        "docs/presets.md": summary(parts),
        "docs/benchmarks.md": (folder / "results.md").read_text(),
    }
    place = re.compile(rf"(<!-- measured in {precision} -->\n).*?(<!-- end -->)", re.DOTALL)
    for name, measured in pages.items():
        page = project / name
        text = place.sub(lambda found: f"{found[1]}\n{measured}\n{found[2]}", page.read_text())  # noqa: B023
        page.write_text(text)
    picture = project / "docs" / "pictures" / f"accuracy-{precision}.svg"
    shutil.copyfile(folder / "accuracy.svg", picture)


def photos(part: Mapping[str, Any]) -> str:
    """Kinds of photos in a table."""
    lines = ["| photos | as the model prepares them | squeezed |", "|---|---|---|"]
    for row in part["figures"]:
        _, squeezed, accuracy = row["detail"].partition("squeezed to 28x28: ")
        if squeezed:
            kind = row["name"].removeprefix("photos, ")
            lines.append(f"| {kind} | {row['median']:.3f} | {accuracy} |")
    return "".join(f"{line}\n" for line in lines)


def summary(parts: Mapping[str, Any]) -> str:
    """Presets and peers in a table: medians over their seeds."""
    median = {row["name"]: row["median"] for part in parts.values() for row in part["figures"]}
    lines = [
        "| | test accuracy | seconds of training | model | one prediction |",
        "|---|---|---|---|---|",
    ]
    for who in (*SHORT, *LONG):
        label = PEERS.get(who, who)
        if f"test accuracy: {label}" in median:
            name = f"{label}, {PEER_EPOCHS[who]} epochs" if who in PEERS else f"preset `{who}`"
            cells = [
                "**default**" if who == "default" else name,
                f"{median[f'test accuracy: {label}']:.4f}",
                f"{median[f'seconds of training: {label}']:,.0f}",
            ]
            if who in PEERS:
                cells += ["", ""]
            else:
                cells += [
                    f"{median[f'size of the model: {who}']:.1f} MB",
                    f"{median[f'one prediction: {who}']:.1f} ms",
                ]
            lines.append(f"| {' | '.join(cells)} |")
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT, PROJECT)
