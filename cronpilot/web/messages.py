"""What a browser tab may say, read strictly: whoever speaks here is a stranger's program."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

LONGEST_TEXT = 1 << 16  # characters of one key press or paste; Textual would take any amount
_COLUMNS, _ROWS = (20, 500), (5, 200)  # what a screen is held to, whatever the window says


class Typed(NamedTuple):
    """Keys, mouse, or a paste, as a terminal sends them."""

    text: str


class Resized(NamedTuple):
    """The window holds so many cells."""

    columns: int
    rows: int


class Pinged(NamedTuple):
    """Is somebody there?"""

    word: str


class Focused(NamedTuple):
    """Whether the terminal has the keyboard."""

    yes: bool


Said = Typed | Resized | Pinged | Focused


class Nonsense(ValueError):
    """It is none of these."""


def read_message(text: str) -> Said:
    """What the browser said.

    Raises:
        Nonsense: it is no list that begins with a word we know, or too much of it.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Nonsense("no JSON") from error
    match said:
        case ["stdin", str(typed)] if len(typed) <= LONGEST_TEXT:
            return Typed(typed)
        case ["resize", {"width": width, "height": height}]:
            return Resized(*size_within(width, height))
        case ["ping", str(word)] if len(word) <= 100:
            return Pinged(word)
        case ["focus"] | ["blur"]:
            return Focused(said == ["focus"])
        case _:
            raise Nonsense("nothing that a tab says")


def size_within(columns: Any, rows: Any) -> tuple[int, int]:
    """That size, held to what a screen can be.

    Raises:
        Nonsense: it is no number.
    """
    try:
        return _held(int(columns), _COLUMNS), _held(int(rows), _ROWS)
    except (TypeError, ValueError, OverflowError) as error:
        raise Nonsense("no size") from error


def _held(number: int, limits: tuple[int, int]) -> int:
    lowest, highest = limits
    return max(lowest, min(number, highest))
