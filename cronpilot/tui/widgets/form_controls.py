"""What a field of a form is filled in with, and the text that stands in it."""

from __future__ import annotations

from typing import Any, cast

from textual.widget import Widget

from cronpilot.tui.task_fields import FormField
from cronpilot.tui.widgets.form_choices import Pick
from cronpilot.tui.widgets.form_text import TextBox, TextField


def control_of(field: FormField, text: str) -> Widget:
    """A choice, one line or several, as the field needs."""
    if field.choices:
        return Pick(field.choices, text)
    return TextBox(text, field.hint) if field.lines else TextField(text, field.hint)


def text_of(control: Widget) -> str:
    """What stands in it."""
    return control.text if isinstance(control, TextBox) else str(cast(Any, control).value)


def put_text(control: Widget, text: str) -> None:
    """Let this stand in it."""
    if isinstance(control, TextBox):
        control.load_text(text)
    else:
        cast(Any, control).value = text
