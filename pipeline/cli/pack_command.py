"""The command that makes a data set of a folder of pictures."""

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from components.dataset.description import SIDES, Description
from pipeline.cli.console import (
    next_steps,
    print_json,
    print_table,
    progress,
    say,
    say_aside,
)
from pipeline.cli.options import AsJson, option, read_from, write_to
from pipeline.errors import UsageError
from pipeline.text import command, printable, shown

if TYPE_CHECKING:
    from pipeline.packing.folder import Found
    from pipeline.packing.pack import Packed

SHARE: Final = 0.15
MOST: Final = 0.9
LISTED: Final = 3
"""Pictures whose names are printed."""


def _name(text: str) -> str:
    if not text.strip():
        raise UsageError("--name is empty; give a value, or leave it out")
    return text


def pack(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="Has a folder of pictures for each class, or `train/` and `test/` with these.",
            parser=read_from("FOLDER"),
        ),
    ],
    out: Annotated[
        Path,
        typer.Argument(
            metavar="OUT",
            help="Folder to write to: new, empty, or an earlier result, which is replaced.",
            parser=write_to("OUT"),
        ),
    ],
    size: Annotated[
        str,
        option(
            "Pixels of the height and the width, or HEIGHTxWIDTH, as 20x12; 8 to 256.",
            metavar="SIZE",
        ),
    ] = "28",
    colour: Annotated[
        bool, option("Keep red, green and blue; else pictures become grey.", "--color", "--colour")
    ] = False,
    test: Annotated[
        float | None,
        option(
            "Share of each class for the test, where there is no folder `test/`.",
            "--test",
            show_default=str(SHARE),
        ),
    ] = None,
    seed: Annotated[
        int, option("Decides which pictures are for the test, and the order.", min=0)
    ] = 0,
    name: Annotated[
        str | None, option("Name of the data.", show_default="the name of FOLDER", parser=_name)
    ] = None,
    prepare: Annotated[
        Literal["scaled", "subject"],
        option(
            "How pictures are prepared, here and for the model: the whole picture is scaled, or "
            "the subject is cut out of a plain background, as FashionMNIST's makers did."
        ),
    ] = "scaled",
    mirror_changes_class: Annotated[
        bool,
        option(
            "A mirrored picture may be of another class, as of digits, letters and signs.",
            "--mirror-changes-class",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a data set of a folder of your own pictures.

    The names of the folders are the names of the classes. OUT gets four IDX files and
    `dataset.json`, which describes them: all that `run --source OUT` needs. Pictures that cannot be
    read are named and left out. Equal pictures stay together when it makes the split.

    Examples:
        pack photos shoes  # 28x28 in grey, 15 % of each class for the test
        pack --size 64 --color photos shoes  # 64x64 in colour
        pack --size 20x12 --mirror-changes-class signs set  # 20 pixels high, no flips in training
        pack --prepare subject photos clothes  # cuts the subject out of a plain background
    """
    from pipeline.cli.watchers import stopped_by_signals
    from pipeline.packing.folder import find
    from pipeline.packing.output import check_output
    from pipeline.packing.pack import pack as write

    height, width = _sides(size)
    found = find(folder)
    share = _share(test, found, folder)
    check_output(out, folder)
    description = Description(
        name=name if name is not None else folder.resolve().name,
        classes=found.classes,
        height=height,
        width=width,
        channels=3 if colour else 1,
        preparation=prepare,
        mirror_changes_class=mirror_changes_class,
    )
    with (
        stopped_by_signals(f"interrupted; {out} is as it was"),
        progress("preparing pictures", len(found.pictures)) as seen,
    ):
        packed = write(folder, found, out, description, share=share, seed=seed, seen=seen)
    _warn(found, packed)
    if as_json:
        print_json(packed.as_json() | {"out": out})
        return
    _show(packed, out)


def _sides(size: str) -> tuple[int, int]:
    low, high = SIDES
    sides = re.fullmatch(r"(\d{1,9})(?:[xX](\d{1,9}))?", size.strip())
    height, width = (int(sides[1]), int(sides[2] or sides[1])) if sides else (0, 0)
    if not (low <= height <= high and low <= width <= high):
        raise UsageError(
            f"--size is {size}; give pixels from {low} to {high}, as 28, or HEIGHTxWIDTH, as 20x12"
        )
    return height, width


def _share(test: float | None, found: "Found", folder: Path) -> float:
    if test is None:
        return SHARE
    if found.has_test:
        raise UsageError(f"{folder}/test has the pictures for the test; leave out --test")
    if not 0 < test <= MOST:
        raise UsageError(f"--test is {test:g}; give a share above 0, at most {MOST}, as {SHARE}")
    return test


def _warn(found: "Found", packed: "Packed") -> None:
    if found.validation:
        say_aside(
            f"note: {' and '.join(found.validation)} counts to training; `run` holds out "
            "validation examples itself"
        )
    if found.ignored:
        say_aside(f"note: left out: {', '.join(found.ignored)}, beside the folders of the splits")
    if count := found.others.total():
        files = "file of another kind is" if count == 1 else "files of other kinds are"
        endings = [ending or "no ending" for ending, _ in found.others.most_common(LISTED + 1)]
        endings[LISTED:] = ["…"] * (len(endings) > LISTED)
        say_aside(f"note: {count:,} {files} left out ({', '.join(endings)})")
    refused = [f"{picture.file}: {reason}" for picture, reason in packed.refused]
    _list(
        refused,
        "picture cannot be used and is left out",
        "pictures cannot be used and are left out",
    )
    _list(
        [f"{test} is equal to {train}" for test, train in packed.between_splits],
        "picture of the test is in training too; remove it for an honest accuracy",
        "pictures of the test are in training too; remove them for an honest accuracy",
    )
    _list(
        [f"{one} is equal to {other}" for one, other in packed.between_classes],
        "picture is in two classes; remove it from one",
        "pictures are in two classes; remove each from one",
    )


def _list(lines: Sequence[str], about_one: str, about_many: str) -> None:
    """A warning about pictures, with the first of them."""
    if not lines:
        return
    say_aside(f"warning: {len(lines):,} {about_one if len(lines) == 1 else about_many}:")
    for line in lines[:LISTED]:
        say_aside(f"  {printable(line)}")
    if len(lines) > LISTED:
        say_aside(f"  and {len(lines) - LISTED:,} more, which `--json` lists")


def _show(packed: "Packed", out: Path) -> None:
    about, counts = packed.description, packed.counts
    columns: Any = zip(about.classes, *counts.values(), strict=True)
    rows = [(name, f"{train:,}", f"{test:,}") for name, train, test in columns]
    sums = [f"{sum(each):,}" for each in counts.values()]
    print_table(("Class", "Training", "Test"), [*rows, ("all", *sums)])
    say(f"\n{about.name}: {about.form}, in {shown(out)}")
    next_steps({command(f"run --source {shlex.quote(shown(out))}"): "trains a model on it"})
