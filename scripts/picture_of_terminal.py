"""Draws a run of the pipeline, as a terminal shows it, as an SVG that plays by itself.

It makes a real run, in a folder of its own: ``python -m scripts.picture_of_terminal OUT.svg``.
"""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from scripts.recording import Frame, Row, Span, record

COMMAND: Final = ("fashion-mnist", "run", "--preset", "fast")
COLUMNS: Final = 80
LINES: Final = 24
PLAYED: Final = 14.0
"""Seconds that the picture takes, whatever the run took."""
FRAMES_PER_SECOND: Final = 5
END: Final = 6.0
"""Seconds for which the last frame stays before it begins again."""

CHARACTER: Final = 8.4
LINE: Final = 19
LEFT: Final = 16
TOP: Final = 52
COLORS: Final = {
    "default": "#e6edf3",
    "brightblack": "#9198a1",
    "green": "#56d364",
    "cyan": "#56d4dd",
    "red": "#ff7b72",
    "brown": "#e3b341",
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
}
STYLE: Final = (
    "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
    "white-space:pre}.b{font-weight:bold}"
)

Shown = tuple[int, int, Row]
"""A row from one frame on until before another."""


def picture(frames: Sequence[Frame], title: str) -> str:
    """The SVG of a recording.

    Where animations are not wanted it is the last frame. It uses no script and no font but those
    of the system; the width of each piece of text is fixed.

    Args:
        frames: From ``record``.
        title: What stands on top of the window.
    """
    played = sampled(frames)
    lines = max(len(frame.rows) for frame in played)
    width, height = 2 * LEFT + COLUMNS * CHARACTER, TOP + lines * LINE
    total = len(played) / FRAMES_PER_SECOND + END
    rules: dict[tuple[int, int], str] = {}
    body = []
    for line in range(lines):
        for start, end, row in shown(played, line):
            name = rules.setdefault((start, end), f"f{len(rules)}")
            spans = "".join(_text(span, TOP + line * LINE) for span in row)
            body.append(f'<g class="{name}">{spans}</g>')
    style = STYLE + "".join(
        f".{name}{{visibility:hidden}}" for (_, end), name in rules.items() if end < len(played)
    )
    moving = "".join(_rule(name, *key, len(played), total) for key, name in rules.items())
    dots = "".join(
        f'<circle cx="{18 + 18 * n}" cy="18" r="5.5" fill="{color}"/>'
        for n, color in enumerate(("#ff7b72", "#e3b341", "#56d364"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>"
        f"<style>{style}@media (prefers-reduced-motion:no-preference){{{moving}}}</style>"
        f'<rect width="{width:g}" height="{height:g}" rx="9" fill="#0d1117"/>{dots}'
        f'<text x="{width / 2:g}" y="23" text-anchor="middle" fill="#9198a1">{escape(title)}</text>'
        f"{''.join(body)}</svg>\n"
    )


def sampled(frames: Sequence[Frame]) -> list[Frame]:
    """The recording in ``PLAYED`` seconds: what was to be seen at each of the picture's frames."""
    count = round(PLAYED * FRAMES_PER_SECOND)
    length = frames[-1].seconds
    found, newest = [], 0
    for index in range(count):
        while newest + 1 < len(frames) and frames[newest + 1].seconds <= length * index / count:
            newest += 1
        found.append(frames[newest])
    return [*found, frames[-1]]


def shown(frames: Sequence[Frame], line: int) -> Iterator[Shown]:
    """What stands in a line, piece by piece; nothing for while it is empty."""
    rows = [frame.rows[line] if line < len(frame.rows) else () for frame in frames]
    start = 0
    for index in range(1, len(rows) + 1):
        if index == len(rows) or rows[index] != rows[start]:
            if rows[start]:
                yield start, index, rows[start]
            start = index


def _text(span: Span, y: int) -> str:
    color = COLORS.get(span.color, COLORS["default"])
    bold = ' class="b"' if span.bold else ""
    return (
        f'<text x="{LEFT + span.column * CHARACTER:.4g}" y="{y}" fill="{color}"{bold} '
        f'textLength="{len(span.text) * CHARACTER:.4g}" lengthAdjust="spacingAndGlyphs">'
        f"{escape(span.text)}</text>"
    )


def _rule(name: str, start: int, end: int, count: int, total: float) -> str:
    """What shows ``name`` from one frame on until before another."""

    def at(frame: int) -> str:
        return f"{100 * frame / FRAMES_PER_SECOND / total:.2f}%"

    steps = ["0%{visibility:hidden}"] if start else []
    steps.append(f"{at(start)}{{visibility:visible}}")
    if end < count:
        steps.append(f"{at(end)},to{{visibility:hidden}}")
    else:
        steps.append("to{visibility:visible}")
    return (
        f"@keyframes {name}{{{''.join(steps)}}}"
        f".{name}{{animation:{name} {total:g}s step-end infinite}}"
    )


def typed(frames: Sequence[Frame]) -> list[Frame]:
    """The frames below the line with which the command was called."""
    words = " ".join(COMMAND)
    prompt = (Span(0, "$", "green", True), Span(2, words, "default", False))
    return [Frame(frame.seconds, (prompt, (), *frame.rows)) for frame in frames]


def main(path: Path) -> None:
    """Makes a run, and the picture of it."""
    command = [str(Path(sys.executable).with_name(COMMAND[0])), *COMMAND[1:]]
    with tempfile.TemporaryDirectory(prefix="picture-") as folder:
        frames = record(command, COLUMNS, LINES, Path(folder), os.environ)
    seconds = frames[-1].seconds
    title = f"{' '.join(COMMAND)}: {seconds:.0f} s, shown {seconds / PLAYED:.0f} times as fast"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(picture(typed(frames), title))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
