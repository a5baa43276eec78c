"""The timeline as text: one row a task, past runs as bars, planned ones as outlines. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from cronpilot.domain.run import BAD, Status
from cronpilot.tui.formatting import Cell, Cells, Marks, Tone, run_state

if TYPE_CHECKING:
    from cronpilot.client.agenda import TimelineBar, TimelineRow
    from cronpilot.domain.agenda import Scale

HOUR = timedelta(hours=1)
ZOOMS = (1, 2, 4, 8, 12, 24, 48, 96, 168)
"""Hours that fit on the screen."""
PAST = 0.35
"""The share of the picture that lies behind the line at now, until one moves it."""
_TICKS = (5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
"""Minutes between two labels of the axis; the first that leaves them room."""
_DENSE, _FEW = 0.4, 3  # of the cells with a start; fewer starts are shown one by one
_LABEL = 8  # cells for one label and the blank behind it


@dataclass(slots=True)
class Window:
    """Which stretch of time is seen. `moved` is how far the user has moved it from now."""

    zoom: int = 4  # an index in ZOOMS
    moved: timedelta = timedelta()

    @property
    def span(self) -> timedelta:
        """How long a stretch is seen."""
        return ZOOMS[self.zoom] * HOUR

    def scale(self, now: datetime, cells: int) -> Scale:
        """The stretch in cells. It begins at a whole cell, so that bars stand still while time
        passes, and the line at now wanders from cell to cell."""
        from cronpilot.domain.agenda import Scale  # after the first paint

        cells = max(10, cells)
        step = self.span / cells
        begin = now + self.moved - PAST * self.span
        whole = int(begin.timestamp() / step.total_seconds())
        since = datetime.fromtimestamp(whole * step.total_seconds(), tz=now.tzinfo)
        return Scale(since, since + self.span, cells)

    def move(self, by: float) -> None:
        """By that share of what is seen; later when positive."""
        self.moved += by * self.span

    def change_zoom(self, by: int) -> None:
        """See more (positive) or less, around the same moment."""
        self.zoom = max(0, min(self.zoom + by, len(ZOOMS) - 1))

    @property
    def words(self) -> str:
        """What is seen, for the tabs' row: `12 h around now`."""
        hours = ZOOMS[self.zoom]
        span = f"{hours} h" if hours < 48 else f"{hours // 24} days"
        if not self.moved:
            return f"{span} around now"
        by = round(abs(self.moved) / HOUR, 1)
        return f"{span}, {by:g} h {'later' if self.moved > timedelta() else 'earlier'}"


def draw(row: TimelineRow, scale: Scale, now: datetime, marks: Marks) -> Cells:
    """The row of one task, exactly as many cells as the scale has."""
    canvas = [Cell(" ")] * scale.cells
    here = scale.cell(now)
    if 0 <= here < scale.cells:
        canvas[here] = Cell(marks.now, "title")
    begun = [scale.cell(start) for start in row.starts]
    if _is_dense(begun) and not row.paused:
        _put(canvas, begun[0], marks.rest * (begun[-1] - begun[0] + 1), "busy")
    else:
        for start in row.starts:
            _outline(canvas, row, scale, start, marks)
    for bar in row.bars:
        _bar(canvas, bar, scale, now, marks)
    return _merged(canvas)


def _is_dense(cells: list[int]) -> bool:
    """Whether starts in these cells, in their order, stand so near that they are one band."""
    return len(cells) > _FEW and len(cells) / (cells[-1] - cells[0] + 1) > _DENSE


def _outline(
    canvas: list[Cell], row: TimelineRow, scale: Scale, start: datetime, marks: Marks
) -> None:
    tone: Tone = "muted" if row.paused else "busy"
    first = scale.cell(start)
    last = scale.cell(start + timedelta(seconds=row.usual_s or 0))
    if row.paused:
        shape = marks.paused
    elif last - first < 2:
        shape = marks.planned
    else:
        shape = marks.line_from + marks.line * (last - first - 1) + marks.line_to
    _put(canvas, first, shape, tone)


def _bar(canvas: list[Cell], bar: TimelineBar, scale: Scale, now: datetime, marks: Marks) -> None:
    first = max(0, scale.cell(bar.at))
    length = max(1, scale.cell(bar.until or now) - first + 1)
    state = run_state(bar.status, marks)
    if bar.status is Status.SUCCESS:
        shape = marks.full * length
    elif bar.status in BAD or bar.status is Status.STOPPED:
        shape = state.text[0] + marks.part * (length - 1)
    elif bar.status in (Status.SKIPPED, Status.MISSED):
        shape = state.text[0] + marks.dot * (length - 1)
    else:
        shape = state.text[0] + marks.rest * (length - 1)
    _put(canvas, first, shape, state.tone)


def _put(canvas: list[Cell], first: int, shape: str, tone: Tone) -> None:
    for cell, sign in enumerate(shape, first):
        if 0 <= cell < len(canvas):
            canvas[cell] = Cell(sign, tone)


def _merged(canvas: list[Cell]) -> Cells:
    merged: list[Cell] = []
    for cell in canvas:
        if merged and merged[-1].tone == cell.tone:
            merged[-1] = Cell(merged[-1].text + cell.text, cell.tone)
        else:
            merged.append(cell)
    return Cells(merged)


def axis(scale: Scale, zone: tzinfo) -> Cells:
    """The hours above the rows: a label at each whole one that has room, the day at midnight."""
    minutes = scale.step / timedelta(minutes=1)
    tick = next((tick for tick in _TICKS if tick / minutes >= _LABEL), _TICKS[-1])
    text = [" "] * scale.cells
    at = scale.since.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    at = at.astimezone(scale.since.tzinfo)  # elapsed time from midnight on, also as clocks change
    while at < scale.until:
        cell, local = scale.cell(at), at.astimezone(zone)
        label = (
            f"{local:%a} {local.day}" if (local.hour, local.minute) == (0, 0) else f"{local:%H:%M}"
        )
        if cell >= 0 and cell + len(label) <= scale.cells and at >= scale.since:
            text[cell : cell + len(label)] = label
        at += timedelta(minutes=tick)
    return Cells([Cell("".join(text), "head")])


def legend(marks: Marks) -> list[Cell]:
    """What the signs mean; shown above the picture."""
    signs: list[tuple[str, Tone, str]] = [
        (marks.full, "good", "ok"),
        (marks.bad + marks.part, "bad", "failed"),
        (marks.late, "warn", "missed"),
        (marks.off, "muted", "skipped"),
        (marks.run + marks.rest, "busy", "runs"),
        (marks.planned, "busy", "planned"),
        (marks.paused, "muted", "paused"),
        (marks.now, "title", "now"),
    ]
    cells = [Cell(" ")]
    for sign, tone, word in signs:
        cells += [Cell(sign, tone), Cell(f" {word}   ", "muted")]
    return cells
