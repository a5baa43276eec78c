"""What a field of a form is filled in with, and what is seen of it until somebody does so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from textual.widget import Widget

from cronpilot.tui.formatting import Cell, Tone
from cronpilot.tui.task_fields import FormField
from cronpilot.tui.widgets.form_choices import DayToggles, Pick, day_words, pick_words
from cronpilot.tui.widgets.form_text import TextBox, TextField, ZoneField


@dataclass(frozen=True, slots=True)
class Kind:
    """How a field is filled in.

    Attributes:
        control: makes the widget for it, with that text in it.
        face: what that widget would show of the text in one row.
        ground: the tone of that row where nothing stands.
        lines: whether the text may need several rows.
    """

    control: Callable[[str], Widget]
    face: Callable[[str], Sequence[Cell]]
    ground: Tone = ""
    lines: bool = False


def choice(words: Sequence[str]) -> Kind:
    """One word of a few."""
    return Kind(lambda text: Pick(words, text), lambda text: pick_words(words, text))


def days() -> Kind:
    """Days of the week; their text is `mon,fri`."""
    return Kind(lambda text: DayToggles(_days(text)), lambda text: day_words(_days(text)))


def line(hint: str, *, replace: bool = False) -> Kind:
    """One line. `replace`: what is typed first takes the place of what stands there."""
    return Kind(
        lambda text: TextField(text, hint, replace=replace),
        lambda text: _typed(text, hint),
        "field",
    )


def zone(hint: str) -> Kind:
    """A time zone."""
    return Kind(lambda text: ZoneField(text, hint), lambda text: _typed(text, hint), "field")


def box(hint: str) -> Kind:
    """Several lines."""
    return Kind(lambda text: TextBox(text, hint), lambda text: _typed(text, hint), "field", True)


def kind_of(field: FormField) -> Kind:
    """A choice, one line or several, as the field needs."""
    if field.choices:
        return choice(field.choices)
    return box(field.hint) if field.lines else line(field.hint)


def text_of(control: Widget) -> str:
    """What stands in it."""
    if isinstance(control, DayToggles):
        return ",".join(control.days)
    return control.text if isinstance(control, TextBox) else str(cast(Any, control).value)


def put_text(control: Widget, text: str) -> None:
    """Let this stand in it."""
    if isinstance(control, TextBox):
        control.load_text(text)
    elif isinstance(control, DayToggles):
        control.days = _days(text)
    else:
        cast(Any, control).value = text


def _days(text: str) -> Sequence[str]:
    return text.split(",") if text else ()


def _typed(text: str, hint: str) -> Sequence[Cell]:
    return [Cell(text, "field") if text else Cell(hint, "hint")]
