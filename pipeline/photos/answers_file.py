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
        """Reads what an earlier command has written.

        A last line that is not whole is removed, and so are the rows of photos that could not be
        read, since they are tried again.

        Raises:
            UsageError: It is another kind of file, or has another model's answers.
        """
        self._path, self._title, self._count, self._is_csv = path, chosen.title, count, is_csv
        self._model = chosen.title if is_csv else chosen.as_json()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        before = path.read_bytes()
        try:
            rows = self._read(before[: before.rfind(b"\n") + 1].decode(**ENCODING))
            self._done = {row["file"] for row in rows if row["model"] == self._model}
        except (ValueError, KeyError, TypeError, csv.Error) as error:
            raise UsageError(
                f"{printable(path)} has other rows than this command writes; give another file"
            ) from error
        if len(self._done) < len(rows):
            raise UsageError(
                f"{printable(path)} has answers of another model; give another file for "
                f"{self._title}"
            )
        header = [self._header()] if is_csv else []
        kept = [row for row in rows if not row.get("error")]
        self._done = {row["file"] for row in kept}
        lines = [*header, *(list(row.values()) if is_csv else row for row in kept)]
        after = "".join(map(self._line, lines))
        if (content := after.encode(**ENCODING)) != before:
            aside = path.with_name(f"{path.name}.new")
            aside.write_bytes(content)
            aside.replace(path)

    def missing(self, files: Sequence[str]) -> list[str]:
        """The files that have no row."""
        return [file for file in files if file not in self._done]

    def summary(self, seen: int, asked: int) -> str:
        """A line about what a command has added, ``seen`` of ``asked`` photos with an answer."""
        text = f"{printable(self._path)}: {seen:,} answers by {self._title} added"
        if asked > seen:
            text += f", {asked - seen:,} photos could not be read (`error` says why)"
        if self._done:
            text += f"; {len(self._done):,} answers were there before"
        return text

    def add(self, photo: Photo) -> None:
        """Adds a photo's row."""
        with self._path.open("a", newline="", **ENCODING) as file:
            file.write(self._line(self._row(photo)))

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

    def _read(self, text: str) -> list[dict[str, Any]]:
        if not self._is_csv:
            return [json.loads(line) for line in text.splitlines()]
        header, *rows = csv.reader(io.StringIO(text, newline="")) if text else [self._header()]
        if (
            header[: len(CLASS) + 1] == self._header()[: len(CLASS) + 1]
            and header != self._header()
        ):
            raise UsageError(
                f"{printable(self._path)} was made with another --top; give the same one, or "
                "another file"
            )
        if header != self._header():
            raise ValueError(header)
        return [dict(zip(header, row, strict=True)) for row in rows]

    def _line(self, row: Any) -> str:
        if not self._is_csv:
            return f"{json.dumps(row)}\n"
        file = io.StringIO(newline="")
        csv.writer(file, lineterminator="\n").writerow(row)
        return file.getvalue()
