"""What a schedule that is being typed would do, and the lines that say so. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich.cells import cell_len

from cronpilot.domain.clock_notes import clock_note
from cronpilot.domain.duration import parse_duration
from cronpilot.domain.explain import explain
from cronpilot.domain.plan import spread_offset
from cronpilot.domain.quiet import Rule, WithQuiet
from cronpilot.domain.schedule import FireTimes, Schedule, ScheduleType, fire_times, resolve
from cronpilot.domain.text import clean
from cronpilot.domain.zones import find_zone
from cronpilot.tui.formatting import Cell, Marks, countdown, elapsed
from cronpilot.tui.layout import cut, wrap_words
from cronpilot.tui.schedule_draft import Problems, ScheduleDraft, read_schedule

if TYPE_CHECKING:
    from cronpilot.client.messages import FireTime, TaskView

ASKED = 1000
"""Planned starts that are asked for to find those that coincide: the most that an engine tells."""
_ROOM_FOR_NAME = 10  # cells, of a quiet time behind a fire time
_MOST_NAMED = 3  # tasks that start in the same minute
_SAME_YEAR = timedelta(days=300)  # so far ahead a day and a month say which year


@dataclass(frozen=True, slots=True)
class Setting:
    """What a schedule's meaning depends on besides itself.

    Attributes:
        kept: the task as it is: where its schedule stays the same, so do its minute and anchor.
    """

    now: datetime
    default_zone: str
    name: str = ""
    spread: timedelta = timedelta()
    kept: TaskView | None = None
    quiet: tuple[Rule, ...] = ()  # the quiet times that hold for it


@dataclass(frozen=True, slots=True)
class Preview:
    """What the draft would do from now on.

    Attributes:
        fires: nominal instants, ascending; a start is `offset` later.
        quiet: the fires that will be skipped -> the name of the quiet time.
    """

    problems: Problems = field(default_factory=dict)
    schedule: Schedule | None = None
    words: str = ""
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    fires: tuple[datetime, ...] = ()
    offset: timedelta = timedelta()
    note: str = ""
    quiet: Mapping[datetime, str] = field(default_factory=dict)


def look_ahead(draft: ScheduleDraft, setting: Setting, count: int) -> Preview:
    """The meaning of a draft and its next `count` fire times; or what is wrong with it."""
    schedule, problems = read_schedule(draft)
    if schedule is None or problems:
        return Preview(problems)
    zone = find_zone(draft.timezone.strip() or setting.default_zone)
    offset = spread_offset(setting.name, setting.spread)
    resolved = _resolved(schedule, zone, setting, offset)
    times = WithQuiet(fire_times(schedule.type, resolved, zone), setting.quiet, zone)
    fires = _next(times, setting.now - offset, count)
    found = {fire: times.quiet(fire) for fire in fires} if setting.quiet else {}
    return Preview(
        schedule=schedule,
        words=explain(schedule, resolved=resolved),
        zone=zone,
        fires=fires,
        quiet={fire: held.rule.name for fire, held in found.items() if held},
        offset=offset,
        note=clock_note(schedule, resolved, zone, setting.now),
    )


def _resolved(schedule: Schedule, zone: ZoneInfo, setting: Setting, offset: timedelta) -> str:
    set_at, kept = setting.now, setting.kept
    if kept and kept.next_run_at and kept.timezone == zone.key and _same(schedule, kept):
        set_at = kept.next_run_at - offset
        if schedule.type is ScheduleType.INTERVAL:  # any of its fire times is an anchor
            set_at -= parse_duration(schedule.config["every"])
    return resolve(schedule, zone=zone, set_at=set_at, seed=setting.name)


def _same(schedule: Schedule, kept: TaskView) -> bool:
    return schedule.type is kept.schedule_type and schedule.config == kept.schedule_config


def _next(times: FireTimes, after: datetime, count: int) -> tuple[datetime, ...]:
    found: list[datetime] = []
    while len(found) < count and (at := times.next_after(after)) is not None:
        found.append(at)
        after = at
    return tuple(found)


# --- collisions ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Meetings:
    """How many of the next starts fall into a minute in which other tasks start, too.

    Attributes:
        known: of how many starts that can be told.
        names: whom they meet, in the order of the meetings.
    """

    met: int
    known: int
    names: tuple[str, ...] = ()


def meetings(preview: Preview, others: Sequence[FireTime]) -> Meetings:
    """Compare with the planned starts of other tasks, soonest first; at most ASKED are known."""
    starts = [fire + preview.offset for fire in preview.fires]
    if len(others) >= ASKED:
        starts = [start for start in starts if start <= others[-1].starts_at]
    minutes: dict[int, list[str]] = {}
    for other in others:
        minutes.setdefault(_minute(other.starts_at), []).append(other.task_name)
    hits = [minutes[_minute(start)] for start in starts if _minute(start) in minutes]
    names = dict.fromkeys(name for hit in hits for name in hit)
    return Meetings(len(hits), len(starts), tuple(names))


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60


# --- lines ---------------------------------------------------------------------------------------


def preview_lines(
    preview: Preview, met: Meetings | None, now: datetime, width: int, marks: Marks,
    rows: int = 100,
) -> list[list[Cell]]:  # fmt: skip
    """The preview, line by line. `met` is None while the other tasks' starts are not known. Where
    `rows` are too few for it, the fire times stand in two columns, and nothing stands apart."""
    if preview.schedule is None:
        wrong = [f": {one.problem} {one.hint}".rstrip() for one in preview.problems.values()]
        said = f"No preview yet{clean(wrong[0]) if wrong else '.'}"
        return [[Cell(line, "muted")] for line in _wrapped(said, width)]
    lines = [[Cell(line, "strong")] for line in _wrapped(f"It runs {preview.words}.", width)]
    if preview.schedule.type is ScheduleType.MANUAL:
        return lines
    if not preview.fires:
        return [*lines, [Cell(f"{marks.late} That is over: it never starts.", "warn")]]
    told = _told(preview, met, width, marks)
    fires = _fire_lines(preview, now, marks)
    if len(lines) + len(fires) + len(told) + 3 > rows:
        room = max(3, rows - len(lines) - len(told) - 1)
        fires = _in_two_columns(preview, now, width, marks) or fires[:room]
    head = [Cell(f"NEXT RUNS IN {preview.zone.key}", "head")]
    roomy = [*lines, [], head, *fires, *([[]] if told else []), *told]
    return roomy if len(roomy) <= rows else [line for line in roomy if line]


def _fire_lines(
    preview: Preview, now: datetime, marks: Marks, date: str = "%b %Y  ", apart: str = "  "
) -> list[list[Cell]]:
    clock = "%H:%M:%S" if any(fire.second for fire in preview.fires) else "%H:%M"
    lines = []
    for fire in preview.fires:
        local = fire.astimezone(preview.zone)
        quiet = cut(clean(preview.quiet.get(fire, "")), _ROOM_FOR_NAME, marks)
        lines.append([
            Cell(f"{local:%a} {local.day:>2} {local:{date}}"),
            Cell(f"{local:{clock}}", "strong"),
            Cell(f"{apart}{local.isoformat()[19:]}{apart}", "muted"),
            Cell(f"{marks.off} {quiet}", "warn") if quiet else Cell(countdown(fire - now), "muted"),
        ])  # fmt: skip
    return lines


def _in_two_columns(preview: Preview, now: datetime, width: int, marks: Marks) -> list[list[Cell]]:
    """Half of the fire times beside the others; nothing where they find no room so."""
    is_far = preview.fires[-1] - now > _SAME_YEAR
    cells = _fire_lines(preview, now, marks, date="%b %Y " if is_far else "%b ", apart=" ")
    column = width // 2
    if max(map(_wide, cells)) >= column:
        return []
    half = (len(cells) + 1) // 2
    beside: list[list[Cell]] = [*cells[half:], []]
    return [
        [*left, Cell(" " * (column - _wide(left))), *right]
        for left, right in zip(cells[:half], beside, strict=False)
    ]


def _wide(line: Sequence[Cell]) -> int:
    return sum(cell_len(cell.text) for cell in line)


def _told(preview: Preview, met: Meetings | None, width: int, marks: Marks) -> list[list[Cell]]:
    """What there is to know of these fire times."""
    lines = []
    if preview.quiet:
        lines.append([Cell(f"{marks.off} skipped: it falls into that quiet time.", "muted")])
    if preview.offset:
        late = elapsed(preview.offset.total_seconds())
        lines.append([Cell(f"Each starts {late} later: its spread.", "muted")])
    lines += [[Cell(line)] for line in _wrapped(preview.note, width)]
    if met and not met.known:
        words = "Others start too often to say who else starts in these minutes."
        lines += [[Cell(line, "muted")] for line in _wrapped(words, width)]
    elif met:
        lines += _meeting_lines(met, len(preview.fires), width, marks)
    return lines


def _meeting_lines(met: Meetings, count: int, width: int, marks: Marks) -> list[list[Cell]]:
    if not met.met:
        which = f"the first {met.known} of these" if met.known > 1 else "the first of these"
        where = "these minutes" if met.known == count else f"{which} minutes"
        words = f"No other task starts in {where}."
        return [[Cell(line, "muted")] for line in _wrapped(words, width)]
    named = ", ".join(clean(name) for name in met.names[:_MOST_NAMED])
    more = f" +{len(met.names) - _MOST_NAMED}" if len(met.names) > _MOST_NAMED else ""
    verb = "starts" if met.met == 1 else "start"
    said = f"{met.met} of the next {met.known} {verb}"
    if met.known == 1:
        said = "The first of these starts" if count > 1 else "It starts"
    words = f"{marks.late} {said} together with {named}{more}."
    return [[Cell(line, "warn")] for line in _wrapped(words, width)]


def _wrapped(text: str, width: int) -> list[str]:
    return wrap_words(text, max(20, width))
