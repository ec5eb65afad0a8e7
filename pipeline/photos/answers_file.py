"""A file with a row for each photo that has been answered, to which a later command adds."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from pipeline.errors import UsageError
from pipeline.photos.predictions import Asked, Photo
from pipeline.text import printable

ENCODING: Final[dict[str, Any]] = {"encoding": "utf-8", "errors": "surrogateescape"}
"""A file's name that is not UTF-8 is written as its bytes."""
CLASS: Final = ("class", "probability")


class AnswersFile:
    """CSV or JSON lines; both name the model."""

    def __init__(self, path: Path, chosen: Asked, count: int, *, is_csv: bool) -> None:
        """Reads what an earlier command has written; a last line that is not whole is removed.

        Raises:
            UsageError: It is another kind of file, or has another model's answers.
        """
        self._done: set[str] = set()
        self._path, self._title, self._count, self._is_csv = path, chosen.title, count, is_csv
        self._model = chosen.title if is_csv else chosen.as_json()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        try:
            self._read(whole.decode(**ENCODING))
        except (ValueError, KeyError, TypeError, csv.Error) as error:
            raise UsageError(
                f"{printable(path)} has other rows than this command writes; give another file"
            ) from error
        with path.open("r+b") as file:
            file.truncate(len(whole))
        if is_csv and not whole:
            self._append(self._header())

    def missing(self, files: Sequence[str]) -> list[str]:
        """The files that have no row."""
        return [file for file in files if file not in self._done]

    def summary(self, seen: int, asked: int) -> str:
        """A line about what a command has added, ``seen`` of ``asked`` photos with an answer."""
        text = f"{printable(self._path)}: {seen:,} answers by {self._title} added"
        if asked > seen:
            text += f", {asked - seen:,} photos could not be read (`error` says why)"
        if self._done:
            text += f"; {len(self._done):,} rows were there before"
        return text

    def add(self, photo: Photo) -> None:
        """Adds a photo's row."""
        self._append(self._row(photo))

    def _header(self) -> list[str]:
        others = [f"{name}_{place}" for place in range(2, self._count + 1) for name in CLASS]
        return ["file", *CLASS, *others, "sure", "error", "model"]

    def _row(self, photo: Photo) -> Any:
        if not self._is_csv:
            return photo.as_json() | {"model": self._model}
        classes = [value for one in photo.ranking for value in (one.name, f"{one.probability:.6f}")]
        missing = [""] * (2 * self._count - len(classes))
        sure = "" if photo.error else ("yes" if photo.is_sure else "no")
        return [photo.file, *classes, *missing, sure, photo.error, self._model]

    def _read(self, text: str) -> None:
        if self._is_csv:
            header, *rows = csv.reader(io.StringIO(text, newline="")) if text else [self._header()]
            if header != self._header():
                raise ValueError(header)
            known = [(row[0], row[-1]) for row in rows]
        else:
            facts = [json.loads(line) for line in text.splitlines()]
            known = [(fact["file"], fact["model"]) for fact in facts]
        for file, model in known:
            if model != self._model:
                raise UsageError(
                    f"{printable(self._path)} has answers of another model; give another "
                    f"file for {self._title}"
                )
            self._done.add(file)

    def _append(self, row: Any) -> None:
        with self._path.open("a", newline="", **ENCODING) as file:
            if self._is_csv:
                csv.writer(file, lineterminator="\n").writerow(row)
            else:
                file.write(f"{json.dumps(row)}\n")
