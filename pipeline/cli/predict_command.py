"""The command that asks a model about photos."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli.commands import show
from pipeline.cli.console import console, print_json, progress, say_aside
from pipeline.cli.options import (
    ROOT,
    WHERE,
    AsJson,
    AskedModel,
    AskedRun,
    AskedVersion,
    Project,
    Region,
    RootFolder,
    option,
    write_to,
)
from pipeline.errors import CommandError, UsageError
from pipeline.text import printable

if TYPE_CHECKING:
    from pipeline.photos.answers_file import AnswersFile
    from pipeline.photos.predictions import Answering, Asked, Photo

LISTED: Final = 5
"""Files whose names are printed."""


def predict(
    photos: Annotated[
        list[str],
        typer.Argument(
            metavar="PHOTO", help="Image files or folders of them; `-` is standard input."
        ),
    ],
    version: AskedVersion = None,
    run: AskedRun = None,
    model: AskedModel = None,
    root: RootFolder = ROOT,
    top: Annotated[int, option("How many classes to name.", min=1)] = 3,
    save: Annotated[
        Path | None,
        option("Directory to write what the network saw to, as PNG.", parser=write_to("--save")),
    ] = None,
    csv: Annotated[
        Path | None,
        option("CSV file to add a row for each photo to.", "--csv", parser=write_to("--csv")),
    ] = None,
    jsonl: Annotated[
        Path | None,
        option("The same as JSON lines.", "--jsonl", parser=write_to("--jsonl")),
    ] = None,
    as_json: AsJson = False,
    endpoint: Annotated[
        str | None,
        option(
            "Name or number of an endpoint on Vertex AI to ask instead, as `deploy` makes one.",
            panel=WHERE,
        ),
    ] = None,
    project: Project = None,
    region: Region = None,
) -> None:
    """Ask a model what is in a photo.

    The model prepares each photo as the description of its data says: it cuts out what stands out
    from a plain background, as FashionMNIST's makers did, or scales the whole picture. Any size
    will do. PNG, JPEG, GIF, BMP, TIFF, WebP or AVIF, up to 50 MiB and 50 million pixels.

    With `--csv` or `--jsonl`, photos that have a row in the file are left out, so a command that
    was interrupted continues when it is given again.

    Examples:
        predict boot.jpg shirt.png  # asks the champion about two photos
        predict --run last boot.jpg  # asks the model of the newest training
        predict --save seen boot.jpg  # also writes what the network saw to `seen/boot.png`
        predict --csv answers.csv photos  # a row for each photo in a folder
        predict --json - < boot.jpg  # from standard input, for a program
        predict --endpoint fashion-mnist boot.jpg  # asks what `deploy` serves on Vertex AI
    """
    from pipeline.photos.answers_file import AnswersFile
    from pipeline.photos.predictions import image_files, save_seen

    if as_json + (csv is not None) + (jsonl is not None) > 1:
        raise UsageError("--json, --csv and --jsonl: give one of them")
    names = {"--version": version, "--run": run, "--model": model, "--save": save}
    chosen, load = _asked(root, names, endpoint, project, region)
    files, path = image_files(photos), csv or jsonl
    rows = AnswersFile(path, chosen, top, is_csv=path is csv) if path else None
    answered = _ask(rows.missing(files) if rows else files, chosen, load, top, rows)
    seen = [photo for photo in answered if not photo.error]
    for photo in answered:
        _show(photo, chosen, quiet=as_json or rows is not None)
    if as_json:
        print_json([_as_json(photo, chosen) for photo in answered])
    elif rows:
        say_aside(rows.summary(len(seen), len(answered)))
    elif seen:
        console(sys.stderr).print(f"asked {chosen.title}", style="dim")
    if seen and save:
        written = save_seen(seen, save)
        few = ", ".join(map(printable, written))
        many = f"{printable(save)}, in {len(written):,} files"
        say_aside(f"What the network saw is in {few if len(written) <= LISTED else many}")
    if len(seen) < len(answered):
        raise typer.Exit(1)


def _asked(
    root: Path, given: dict[str, Any], endpoint: str | None, project: str | None, region: str | None
) -> "tuple[Asked, Callable[[], Answering]]":
    """The model that is asked, here or on an endpoint, and what loads it."""
    from pipeline.photos.predictions import quick_classifier
    from pipeline.runs.chosen_model import choose

    if endpoint is None:
        if project is not None or region is not None:
            raise UsageError("--project and --region say where an --endpoint is: give that too")
        chosen = choose(root, given["--version"], given["--run"], given["--model"])
        return chosen, lambda: quick_classifier(chosen)
    if others := [option for option, value in given.items() if value is not None]:
        raise UsageError(f"--endpoint cannot be combined with {' and '.join(others)}")
    from pipeline.cli.served_model import find

    served = find(endpoint, project, region)
    return served, lambda: served


def _ask(
    files: list[str],
    chosen: "Asked",
    load: "Callable[[], Answering]",
    top: int,
    rows: "AnswersFile | None",
) -> "list[Photo]":
    from pipeline.photos.predictions import ask

    answered = []
    try:
        with progress(f"asking {chosen.title}", len(files)) as advance:
            for photo in ask(files, load, top):
                if rows:
                    rows.add(photo)
                answered.append(photo)
                advance()
    except KeyboardInterrupt:
        if rows:
            say_aside(
                f"{len(answered):,} of {len(files):,} rows were added; the same command continues"
            )
        raise
    return answered


def _as_json(photo: "Photo", chosen: "Asked") -> dict[str, Any]:
    return photo.as_json() | ({} if photo.error else {"model": chosen.as_json()})


def _show(photo: "Photo", chosen: "Asked", *, quiet: bool) -> None:
    if photo.error:
        show(CommandError(f"{printable(photo.file)}: {photo.error}"))
    elif not quiet:
        from pipeline.cli.photo_view import show_prediction
        from serving.labels import expected

        show_prediction(photo, expected(chosen.description), console())
