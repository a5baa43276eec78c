"""What is found out late looks as what Textual finds out at once."""

from __future__ import annotations

from typing import ClassVar

import pytest
from textual.widget import Widget

from cronpilot.client.fake import FakeClient, make_task
from cronpilot.tui import themes
from cronpilot.tui.formatting import TONES
from cronpilot.tui.widgets.lazy_looks import LazyLooks

NAMES = {*(f"tone--{tone}" for tone in TONES), "tone--cursor", "tone--cursor-blurred"}


class Textuals(Widget):
    """Declares its components, as Textual would have it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = NAMES


class Ours(LazyLooks, Widget):
    """The same, found out when it is asked."""


def looks(widget):
    return {name: widget.get_component_rich_style(name, partial=True) for name in NAMES}


@pytest.mark.parametrize("theme", [themes.DARK, themes.SIXTEEN])
async def test_every_tone_looks_as_textual_has_it(show, theme):
    async with show(FakeClient([make_task(1, "backup")])) as screen:
        theirs, ours = Textuals(), Ours()
        await screen.dashboard.tasks.mount(theirs, ours)
        assert looks(ours) == looks(theirs)

        screen.app.choose_theme(theme)  # what was found out before is not kept
        await screen.pilot.pause()
        assert looks(ours) == looks(theirs)

        screen.dashboard.add_class("-lost")
        assert looks(ours) == looks(theirs)
        assert looks(ours)["tone--good"] == looks(ours)["tone--muted"]


async def test_a_form_field_is_painted_by_two_widgets(show):
    async with show(FakeClient([make_task(1, "backup")])) as screen:
        await screen.press("E")
        await screen.until(lambda: hasattr(screen.app.screen, "rows"))
        rows = screen.app.screen.rows.values()
        await screen.until(lambda: all(row.is_mounted for row in rows))
        assert {len(row.children) for row in rows} == {1}
