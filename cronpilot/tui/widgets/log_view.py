"""The lines of one run's output, followed at their end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import BindingType
from textual.message import Message
from textual.strip import Strip

from cronpilot.domain.log_search import Pattern
from cronpilot.tui.layout import wrapped
from cronpilot.tui.widgets.log_keys import LOG_KEYS
from cronpilot.tui.widgets.log_lines import Marking, paint, text_of, time_of
from cronpilot.tui.widgets.log_scroll import LogScroll


class LogView(LogScroll):
    """Shows a part of a log. At its end it follows; a move upwards ends that, End resumes it.

    It knows the lines that it holds and asks, by messages, for those that it lacks.
    """

    DEFAULT_CSS = "LogView { height: 1fr; width: 1fr; }"
    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = LOG_KEYS

    class FindWanted(Message):
        """The user wants to type what to look for."""

    class OnlyWanted(Message):
        """Only the lines that match, or all of them again."""

    class FindEnded(Message):
        """The user has done with what was looked for."""

    class SaveWanted(Message):
        """The user wants the log in a file."""

    @dataclass
    class StepWanted(Message):
        """The next match downwards (1) or upwards (-1)."""

        by: int

    @dataclass
    class RunWanted(Message):
        """The task's run after this one (1) or before it (-1)."""

        by: int

    @dataclass
    class SpansWanted(Message):
        """Where the regular expression stands in these lines is not known."""

        offsets: list[int]

    @dataclass
    class Copied(Message):
        """The user wants this text elsewhere; `what` it is, for people."""

        text: str
        what: str

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.zone: tzinfo = UTC
        self.is_of_many = False  # of several runs: there is no one file behind it
        self.match: int | None = None  # where the match begins that one stands on
        self._marking = Marking()
        self._spans_asked: list[int] = []

    def append(
        self, data: bytes, size: int, *, end: int | None = None, at: datetime | None = None
    ) -> None:
        if len(self.window):
            self._marking.forget(self.window.offset_of(len(self.window) - 1))
        super().append(data, size, end=end, at=at)

    # --- what is looked for ----------------------------------------------------------------------

    def mark(self, pattern: Pattern | None) -> None:
        """Mark this wherever it stands; None: nothing."""
        self._marking = Marking(pattern)
        self.match, self._spans_asked = None, []
        self.repaint_all()

    @property
    def pattern(self) -> Pattern | None:
        """What is marked."""
        return self._marking.pattern

    def tell_spans(self, offsets: Sequence[int], found: dict[int, list[tuple[int, int]]]) -> None:
        """Where the expression stands in lines that were asked about."""
        self._marking.tell(offsets, found)
        self._spans_asked = []
        self.repaint_all()

    def stand_on(self, offset: int) -> bool:
        """Go to the match that begins there; whether it is held."""
        window = self.window
        if not (len(window) and window.offset_of(0) <= offset < window.end):
            return False
        self.match = offset
        index = window.index_at(offset)
        seen = [place[0] for place in self.rows_seen()]
        if index not in seen[: max(1, len(seen) - 1)]:
            self.bring_to_top((max(0, index - self.size.height // 3), 0))
        elif self.following and index < len(window) - 1:
            self.set_following(False)
        self.repaint_all()
        return True

    def step_held(self, by: int) -> bool:
        """To the next match downwards (1) or upwards (-1) among the lines held; whether there is
        one."""
        count, pattern = len(self.window), self.pattern
        if pattern is None or pattern.regex or not count:
            return False
        start = count if by < 0 else -1
        if self.match is not None:
            start = self.window.index_at(self.match)
        for index in range(start + by, count if by > 0 else -1, by):
            if pattern.spans(text_of(self.window[index])):
                return self.stand_on(self.window.offset_of(index))
        return False

    # --- looks -----------------------------------------------------------------------------------

    def action_wrap(self) -> None:
        self.wrap = not self.wrap
        self._x = 0
        self._top = self._last_top if self.following else (self._top[0], 0)
        self._look_changed()

    def action_times(self) -> None:
        self.times = not self.times
        self._top = self._last_top if self.following else (self._top[0], 0)
        self._look_changed()

    def _look_changed(self) -> None:
        self.repaint_all()
        self.post_message(self.LookChanged())

    # --- asking for more -------------------------------------------------------------------------

    def action_find(self) -> None:
        self.post_message(self.FindWanted())

    def action_step(self, by: int) -> None:
        self.post_message(self.StepWanted(by))

    def action_only(self) -> None:
        self.post_message(self.OnlyWanted())

    def action_run(self, by: int) -> None:
        self.post_message(self.RunWanted(by))

    def action_save(self) -> None:
        self.post_message(self.SaveWanted())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "leave":
            return self.selected is not None or self.pattern is not None
        if self.is_of_many and action in ("only", "save", "run"):
            return False
        return action not in ("step", "only") or self.pattern is not None

    def action_leave(self) -> None:
        """Out of the selection, else an end to what was looked for."""
        if self.selected is not None:
            self.selected = None
            self._look_changed()
        else:
            self.post_message(self.FindEnded())

    # --- choosing and copying --------------------------------------------------------------------

    def action_select(self) -> None:
        """Choose lines from here on; again: choose none."""
        if self.selected is not None or not len(self.window):
            self.selected = None
        else:
            rows = self.rows_seen()
            index = self.window.index_at(self.match) if self.match is not None else rows[-1][0]
            self.selected = (index, index)
            self.set_following(False)
        self._look_changed()

    def on_click(self, event: events.Click) -> None:
        rows = self.rows_seen()
        if event.y < len(rows):
            self.selected = (rows[event.y][0],) * 2
            self.set_following(False)
            self._look_changed()

    def action_copy(self) -> None:
        """The chosen lines; else the match one stands on; else all that is seen."""
        if self.selected is not None:
            first, last = sorted(self.selected)
            self._copy(range(first, last + 1), "the selection")
        elif self.match is not None:
            self._copy([self.window.index_at(self.match)], "the line of the match")
        else:
            self.action_copy_seen()

    def action_copy_seen(self) -> None:
        """All that is seen."""
        indexes = dict.fromkeys(index for index, _ in self.rows_seen())
        self._copy(list(indexes), "what is seen of the log")

    def _copy(self, indexes: Sequence[int], what: str) -> None:
        lines = [text_of(self.window[index]).rstrip() for index in indexes]
        if lines:
            self.post_message(self.Copied("\n".join(lines) + "\n", what))

    # --- painting --------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        if not len(self.window):
            said = [row for line in self._instead for row in wrapped(line, self.size.width)]
            return self.centred(said, y)
        width, rows = self.size.width, self.rows_seen()
        plain, muted = self.tone_style(""), self.tone_style("muted")
        bar = Segment(self.marks.thumb if y in self.thumb() else " ", muted)
        if y >= len(rows):
            return Strip([Segment(" " * (width - 1), plain), bar])
        index, row = rows[y]
        under = self._under(index)
        line = self._painted(index, plain if under is None else plain + under)
        room, x = self.room, self._left_edge(index, row, line.cell_length)
        shown = line.crop(x, x + room).adjust_cell_length(room, plain + under if under else plain)
        cut = not self.wrap and line.cell_length > x + room
        mark = self.marks.cut if not self.wrap and x > self._x else " "
        mark = self.marks.cursor if self._is_match(index) and not row else mark
        parts = [Segment(mark, self.tone_style("strong"))]
        if self.times:
            at = None if row else self.window.seen_at(index)
            parts.append(Segment(time_of(at, self.zone), muted))
        cell = Segment(self.marks.cut if cut else " ", muted)
        return Strip([*parts, *shown, cell, bar]).crop(0, width)

    def _left_edge(self, index: int, row: int, width: int) -> int:
        """The first cell of a line that is seen: of what is being printed, the end is followed."""
        if self.wrap:
            return row * self.room
        if self.following and not self._x and self._is_growing(index):
            return max(0, width - self.room)
        return self._x

    def _painted(self, index: int, base: Style) -> Strip:
        line, offset = self.window[index], self.window.offset_of(index)
        if self._marking.pattern is None:
            return paint(line, base)
        spans = self._marking.spans(offset, text_of(line))
        if spans is None and offset not in self._spans_asked:
            if not self._spans_asked:
                self.call_after_refresh(self._ask_for_spans)
            self._spans_asked.append(offset)
        return paint(line, base, spans or ())

    def _ask_for_spans(self) -> None:
        if self._spans_asked:
            self.post_message(self.SpansWanted(sorted(self._spans_asked)))

    def _is_match(self, index: int) -> bool:
        return self.match is not None and self.window.offset_of(index) == self.match

    def _under(self, index: int) -> Style | None:
        """What lies below the text of a chosen line, or of the match one stands on."""
        if self.selected is None:
            if not self._is_match(index):
                return None
            return self.get_component_rich_style("tone--cursor-blurred", partial=True)
        first, last = sorted(self.selected)
        if not first <= index <= last:
            return None
        name = "tone--cursor" if index == self.selected[1] else "tone--cursor-blurred"
        return self.get_component_rich_style(name, partial=True)
