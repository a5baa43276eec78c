"""What a repaint writes to the terminal, made small.

Textual 8.2 paints a changed cell from the left edge of its widget, and spells out every style in
full, twice the bytes of the text itself and more. Over a thin line that is felt. Here only the
changed cells are written, and of a style only what differs from the one before; what the terminal
shows already is not written again, and what has only moved is scrolled. This module and
`moving` know the inside of Textual's compositor; tests/tui/test_painting.py compares what a
terminal shows with and without it.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.screen import UPDATE_PERIOD, Screen, ScreenResultType
from textual.strip import Strip
from textual.widget import Widget

from cronpilot.tui.terminal_copy import Cells, Scrolled, TerminalCopy, known

_ATTRIBUTES = (
    ("bold", "1"), ("dim", "2"), ("italic", "3"), ("underline", "4"), ("reverse", "7"),
    ("strike", "9"),
)  # fmt: skip


_painted_at: WeakKeyDictionary[Screen[Any], float] = WeakKeyDictionary()
"""When `paint_now` last painted something."""


class _Look(NamedTuple):
    """A style as codes: attributes that cannot be taken back one by one, and the two colours."""

    attributes: str
    foreground: str
    background: str


_PLAIN = _Look("", "39", "49")


@lru_cache(4096)
def _look(style: Style, system: ColorSystem) -> _Look:
    attributes = ";".join(code for name, code in _ATTRIBUTES if getattr(style, name))
    codes = []
    for colour, is_foreground in ((style.color, True), (style.bgcolor, False)):
        if colour is None:
            codes.append(_PLAIN.foreground if is_foreground else _PLAIN.background)
        else:
            codes.append(";".join(colour.downgrade(system).get_ansi_codes(is_foreground)))
    return _Look(attributes, *codes)


class Pen:
    """Writes text, remembering how the terminal writes at the moment."""

    def __init__(self, console: Console) -> None:
        self._system = console._color_system or ColorSystem.TRUECOLOR
        self._look = _PLAIN
        self._out: list[str] = []

    def move_to(self, x: int, y: int) -> None:
        self._out.append(f"\x1b[{y + 1};{x + 1}H")

    def scroll(self, scrolled: Scrolled) -> None:
        """Move these rows, and none beside them: lines are taken out at the top or put in there,
        between margins that are gone again afterwards. Nothing may have been written so far."""
        first, last, by = scrolled
        self._out.append(f"\x1b[{first + 1};{last + 1}r")
        self.move_to(0, first)
        self._out.append(f"\x1b[{by}M" if by > 0 else f"\x1b[{-by}L")
        self._out.append("\x1b[r")

    def cells(self, segments: Sequence[Segment], width: int) -> Cells[_Look] | None:
        """How the terminal will show these in `width` cells; None: that is not certain."""
        text = "".join([segment.text for segment in segments])
        if not known(text, width):
            return None
        looks: list[_Look] = []
        for part, style, _ in segments:
            if part:
                look = _PLAIN if style is None else _look(style, self._system)
                looks += [look] * len(part)
        return Cells(text, looks)

    def write(self, segments: Iterable[Segment]) -> None:
        for text, style, _ in segments:
            if text:
                self._put(text, _PLAIN if style is None else _look(style, self._system))

    def write_cells(self, cells: Cells[_Look], start: int, stop: int) -> None:
        """These of them."""
        text, looks = cells
        while start < stop:
            look, end = looks[start], start + 1
            while end < stop and looks[end] is look:
                end += 1
            self._put(text[start:end], look)
            start = end

    def finish(self) -> str:
        """All that was written, and the pen as it was found."""
        if self._look != _PLAIN:
            self._out.append("\x1b[0m")
        return "".join(self._out)

    def _put(self, text: str, look: _Look) -> None:
        if look != self._look:
            self._change(look)
        self._out.append(text)

    def _change(self, look: _Look) -> None:
        before, self._look = self._look, look
        codes = []
        if before.attributes != look.attributes:
            if before.attributes:
                codes.append("0")
                before = _PLAIN
            codes.append(look.attributes)
        if before.foreground != look.foreground:
            codes.append(look.foreground)
        if before.background != look.background:
            codes.append(look.background)
        self._out.append(f"\x1b[{';'.join(code for code in codes if code)}m")


class _Piece(NamedTuple):
    """A part of a row that is to be painted."""

    y: int
    x: int
    width: int
    segments: Sequence[Segment]


def _paint(pieces: Sequence[_Piece], console: Console, copy: TerminalCopy[_Look]) -> str:
    """What has to be written so that these are seen, of which the copy is told."""
    pen = Pen(console)
    found = [(piece, pen.cells(piece.segments, piece.width)) for piece in pieces]
    whole = {piece.y: cells for piece, cells in found if piece.width == copy.width}
    scrolled = copy.scroll(whole)
    if scrolled is not None:
        pen.scroll(scrolled)
    for (y, x, width, segments), cells in found:
        for start, stop in copy.put(y, x, width, cells):
            pen.move_to(x + start, y)
            if cells is None:
                pen.write(segments)
            else:
                pen.write_cells(cells, start, stop)
    return pen.finish()


class TightChops(ChopsUpdate):
    """Changed spans, and nothing beside them."""

    copy: TerminalCopy[_Look]

    def render_segments(self, console: Console) -> str:
        return _paint(list(self._pieces()), console, self.copy)

    def _pieces(self) -> Iterator[_Piece]:
        for y, x1, x2 in self.spans:
            begin = at = -1
            segments: list[Segment] = []
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= x2 or end <= x1:
                    continue
                start, stop = max(x, x1), min(end, x2)
                if at != start:
                    if segments:
                        yield _Piece(y, begin, at - begin, segments)
                    begin, segments = start, []
                segments.extend(strip.crop(start - x, stop - x))
                at = stop
            if segments:
                yield _Piece(y, begin, at - begin, segments)


class TightLayout(LayoutUpdate):
    """The whole screen, whatever the terminal shows of it."""

    copy: TerminalCopy[_Look]

    def render_segments(self, console: Console) -> str:
        x, y, width, height = self.region
        self.copy.begin(width, height)
        lines = [
            _Piece(row, x, width, [segment for strip in line for segment in strip])
            for row, line in enumerate(self.strips, y)
        ]
        return _paint(lines, console, self.copy)


def paint_now(widget: Widget, *others: Widget) -> None:
    """Put on the terminal what these widgets have to repaint, as the answer to a key. Textual would
    wait for its next frame, up to 17 ms; it still does where keys come faster than frames."""
    if not widget.is_attached or widget.app._batch_count:
        return
    screen, now = widget.screen, time.monotonic()
    if screen.is_current and now - _painted_at.get(screen, 0) >= UPDATE_PERIOD:
        _painted_at[screen] = now
        painted = {widget, *others}
        waiting = screen._dirty_widgets - painted
        screen._compositor.update_widgets(painted)
        screen._compositor_refresh()
        screen._dirty_widgets |= waiting  # it takes all that waits for the next frame for painted


class OnceAFrame(Screen[ScreenResultType]):
    """A screen that opens with what it is about, in one painting, and the rest in the next.

    Textual lays a new screen out and paints it as each of its parts arrives, four times in all,
    the ground below it included."""

    def __init__(self) -> None:
        super().__init__()
        self._opening = True  # nothing was painted so far
        self._holding = False  # what is to be painted comes together first
        self._waiting = False  # for what belongs into the painting after the first

    @abstractmethod
    def first_seen(self) -> Region:
        """What is painted before all else; nothing of the ground may be seen in it."""

    async def opened(self) -> None:
        """The first painting is done: time for what was put off for it."""

    def wait_for_more(self) -> None:
        """Paint nothing behind the first painting before `show_all`."""
        self._waiting = True

    def show_all(self) -> None:
        """All that is there belongs on the terminal now."""
        if self._waiting:
            self._waiting = False
            self._on_timer_update()

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        if self._opening:
            event.refresh_styles = False  # its parts got them a moment ago, when they came in

    def render_lines(self, crop: Region) -> list[Strip]:
        """The ground: the screen below, all of it dimmed, which takes longer than the rest."""
        if self._opening:
            return [Strip.blank(crop.width)] * crop.height
        return super().render_lines(crop)

    def _compositor_refresh(self) -> None:
        if self._holding:
            return
        if self._opening:
            self._compositor._dirty_regions = {self.first_seen()}
            super()._compositor_refresh()
            self._opening = False
            self._compositor._dirty_regions.add(self.size.region)
            self._holding = True  # until the next frame
            self.call_later(self.opened)
        elif not self._waiting:
            super()._compositor_refresh()

    def _on_timer_update(self) -> None:
        self._holding = True
        super()._on_timer_update()
        self._holding = False
        if self.is_current:
            self._compositor_refresh()


def tight(update: Any, copy: TerminalCopy[Any] | None = None) -> Any:
    """The same update in fewer bytes; anything else as it is. `copy` is of the terminal that all
    updates go to, and is told of this one when it is written."""
    shorter: TightChops | TightLayout
    if type(update) is ChopsUpdate:
        shorter = TightChops(update.chops, update.spans, update.chop_ends)
    elif type(update) is LayoutUpdate:
        shorter = TightLayout(update.strips, update.region)
    else:
        return update
    shorter.copy = TerminalCopy() if copy is None else copy
    return shorter
