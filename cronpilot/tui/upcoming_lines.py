"""What view 3 says as a list: starts in order, changes of the clock between them, who starts
nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from cronpilot.domain.text import clean
from cronpilot.domain.zones import Change, changes, find_zone
from cronpilot.errors import InvalidSchedule
from cronpilot.tui.formatting import Cell, Cells, Marks, moment, plural

if TYPE_CHECKING:
    from cronpilot.client.agenda import Outlook, UpcomingStart

_WITHOUT_ID, _CHANGE_IDS, _TASK_BITS = -1, -2, 34  # a start's id: its task above its second
_MOST_NAMED = 3
_STARTS = "starts an hour"


class UpcomingLine(NamedTuple):
    """A start, or something that is said across the whole line."""

    id: int
    at: datetime
    start: UpcomingStart | None = None
    note: Cell = Cell("")


def upcoming_lines(
    starts: Sequence[UpcomingStart],
    outlook: Outlook | None,
    zone: tzinfo,
    now: datetime,
    until: datetime,
    marks: Marks,
) -> list[UpcomingLine]:
    """The starts with what happens to the clocks between `now` and `until`; at the end those who
    start nothing, once all is known (`outlook` is None before)."""
    lines = [UpcomingLine(_id(start), start.starts_at, start) for start in starts]
    lines += _clock_changes({start.timezone for start in starts}, zone, now, until, marks)
    lines.sort(key=lambda line: (line.at, line.start is not None))
    if outlook is not None and outlook.tasks_without_start:
        lines.append(
            UpcomingLine(_WITHOUT_ID, until, note=_without_start(outlook, zone, now, marks))
        )
    return lines


def _id(start: UpcomingStart) -> int:
    return start.task_id << _TASK_BITS | int(start.starts_at.timestamp())


def _clock_changes(
    names: Iterable[str], zone: tzinfo, now: datetime, until: datetime, marks: Marks
) -> list[UpcomingLine]:
    zones = {name: one for name in names if (one := known_zone(name)) is not None}
    if isinstance(zone, ZoneInfo):
        zones[zone.key] = zone
    met = [(change, name) for name, zone_ in zones.items() for change in changes(zone_, now, until)]
    lines = []
    alike = sorted(met, key=lambda pair: (pair[0].at, pair[0].before, pair[0].after, pair[1]))
    for number, (change, group) in enumerate(groupby(alike, key=lambda pair: pair[0])):
        words = _said(change, [name for _, name in group])
        note = Cell(f"{marks.line * 2} {words} {marks.line * 200}", "warn")
        lines.append(UpcomingLine(_CHANGE_IDS - number, change.at, note=note))
    return lines


def known_zone(name: str) -> ZoneInfo | None:
    """None where this machine does not know it."""
    try:
        return find_zone(name)
    except InvalidSchedule:
        return None


def _said(change: Change, names: Sequence[str]) -> str:
    minutes = abs(change.shift) // timedelta(minutes=1)
    by = f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
    way = "forward" if change.shift > timedelta() else "back"
    where = ", ".join(names[:_MOST_NAMED]) + (", ..." if names[_MOST_NAMED:] else "")
    return (
        f"clocks go {way} {by}: {change.local_end:%H:%M} becomes {change.local_start:%H:%M}"
        f" in {where}"
    )


def _without_start(outlook: Outlook, zone: tzinfo, now: datetime, marks: Marks) -> Cell:
    named = []
    for task in outlook.without_start[:_MOST_NAMED]:
        if not task.active:
            when = " (off)"
        elif task.next_run_at is None:
            when = " (by hand)"
        else:
            when = f" ({moment(task.next_run_at, now, zone)})"
        named.append(clean(task.task_name) + when)
    more = ", ..." if outlook.tasks_without_start > len(named) else ""
    count = plural(outlook.tasks_without_start, "task")
    verb = "starts" if outlook.tasks_without_start == 1 else "start"
    return Cell(f"{marks.off} {count} {verb} nothing in these hours: {', '.join(named)}{more}",
                "muted")  # fmt: skip


def meets(start: UpcomingStart, max_workers: int, marks: Marks) -> Cell:
    """Whom a start meets, and whether it will have to wait for that."""
    if start.paused:
        return Cell(f"{marks.paused} paused", "warn")
    if start.quiet:
        return Cell(f"{marks.off} skipped: quiet time {clean(start.quiet)}", "warn")
    match start.waits:
        case "itself":
            return Cell(f"{marks.late} its last run usually still goes", "warn")
        case "pool":
            return Cell(f"{marks.late} waits: pool {clean(start.pool or '')} is full", "warn")
        case "slots":
            return Cell(
                f"{marks.late} waits: {start.together} at once, {max_workers} slots", "warn"
            )
    return Cell(f"{start.together} at once" if start.together > 1 else "", "muted")


# --- the strip above it --------------------------------------------------------------------------


def strip_lines(
    outlook: Outlook, width: int, zone: tzinfo, marks: Marks
) -> tuple[Cells, Cells, Cells]:
    """Three rows of a bar chart: the bars, how many starts an hour has, which hour it is."""
    cell = max(3, (width - 2) // max(1, len(outlook.hours)))
    most = max((hour.starts for hour in outlook.hours), default=0)
    bars, figures, names = [Cell(" ")], [Cell(" ")], [Cell(" ")]
    shown = outlook.hours[: (width - 1) // cell]
    # A figure that is too wide for its hour takes the room of the next one's, too.
    every = 2 if any(len(_short(hour.starts)) >= cell for hour in shown) else 1
    for number, hour in enumerate(shown):
        level = -(-hour.starts * len(marks.levels) // most) if hour.starts else 0
        bar = (marks.levels[level - 1] if level else " ") * (cell - 1) + " "
        bars.append(Cell(bar, "busy"))
        if number % every == 0:
            figure = f"{_short(hour.starts):<{cell * every}}"
            figures.append(Cell(figure, "" if hour.starts else "muted"))
        names.append(Cell(f"{hour.at.astimezone(zone):%H}".ljust(cell), "muted"))
    if width - cell * len(outlook.hours) > len(_STARTS) + 2:
        figures.append(Cell(_STARTS, "muted"))
    return Cells(bars), Cells(figures), Cells(names)


def _short(count: int) -> str:
    """At most three characters, rounded down: `7`, `999`, `24k`, `1M`."""
    if count < 1000:
        return str(count) if count else "-"
    return f"{count // 1000}k" if count < 100_000 else f"{max(1, count // 1_000_000)}M"
