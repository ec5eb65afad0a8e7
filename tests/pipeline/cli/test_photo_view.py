"""How a terminal shows a photo and the answer to it."""

import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from pipeline.cli.photo_view import show_prediction
from pipeline.photos.predictions import Likely, Photo


def shown(
    file: str = "[red]bag.png", shape: tuple[int, ...] = (28, 28), light: Any = 200, **terminal: Any
) -> str:
    seen = np.zeros(shape, np.uint8)
    seen[0] = light
    ranking = [Likely("Bag", 8, 0.4375), Likely("Shirt", 6, 0.25), Likely("Coat", 4, 0.01)]
    output = io.StringIO()
    console = Console(file=output, width=80, legacy_windows=False, _environ={}, **terminal)
    show_prediction(Photo(file, seen=seen, ranking=ranking), "a bag", console)
    return output.getvalue()


def test_a_terminal_with_colours_shows_the_picture_beside_the_names() -> None:
    text = shown(force_terminal=True, color_system="truecolor")
    lines = text.splitlines()
    assert len(lines) == 15
    assert text.count("▀") == 28 * 14, "a character for two pixels"
    assert "38;2;200;200;200;48;2;0;0;0m▀" in lines[0]
    assert "[red]bag.png" in lines[0]
    assert "43.8 %" in lines[2]
    assert "not sure: it expects a bag" in text


@pytest.mark.parametrize(
    ("shape", "characters", "upper"),
    [
        ((12, 20), 20 * 6, "38;2;9;9;9;48;2;0;0;0m▀"),
        ((9, 12, 3), 12 * 5, "38;2;255;128;0;48;2;0;0;0m▀"),
        ((32, 32, 3), 32 * 16, "38;2;255;128;0;48;2;0;0;0m▀"),
        ((256, 128, 3), 16 * 16, "38;2;32;16;0;48;2;0;0;0m▀"),
    ],
)
def test_a_picture_of_any_form_is_shown_in_its_colours(
    shape: tuple[int, ...], characters: int, upper: str
) -> None:
    light = 9 if len(shape) == 2 else (255, 128, 0)
    text = shown(shape=shape, light=light, force_terminal=True, color_system="truecolor")
    assert text.count("▀") == characters
    assert upper in text.splitlines()[0]


@pytest.mark.parametrize("terminal", [{"color_system": "standard"}, {"no_color": True}])
def test_a_terminal_without_colours_shows_the_names(terminal: dict[str, Any]) -> None:
    text = shown(force_terminal=True, **terminal)
    assert "▀" not in text
    assert "Bag" in text


@pytest.mark.parametrize("name", ["b" * 10, "b" * 49, "b" * 50, "b" * 200, "two\nlines"])
def test_a_name_is_on_one_line_beside_the_picture_or_above_it(name: str) -> None:
    text = shown(name, force_terminal=True, color_system="truecolor")
    assert name.replace("\n", r"\n") in text
