"""Values -> words, marks and tones. Pure: whoever calls brings the clock, the zone and the marks.

A *tone* is the meaning of a colour, never a colour: themes.py and app.tcss decide how it looks.
What a tone says is always said by a mark and a word too.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Literal, NamedTuple

from cronpilot.domain.run import ACTIVE, Reason, Status, Trigger

if TYPE_CHECKING:
    from cronpilot.client.messages import LastRun, RunView, TaskView

Tone = Literal[
    "", "good", "bad", "warn", "busy", "muted", "strong", "head", "title", "field", "hint",
]  # fmt: skip
TONES: tuple[Tone, ...] = (
    "good", "bad", "warn", "busy", "muted", "strong", "head", "title", "field", "hint",
)  # fmt: skip

SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86400
YEAR = 365 * DAY + 6 * HOUR
SECONDS_UNTIL = 2 * MINUTE
"""A countdown shows seconds only below this: above it a screen at rest writes nothing."""


class Cell(NamedTuple):
    """A piece of text and what its colour means. The text is clean: it can go to a terminal."""

    text: str
    tone: Tone = ""


class Cells(tuple[Cell, ...]):
    """Pieces side by side in one column, each with a tone of its own."""

    __slots__ = ()

    @property
    def text(self) -> str:
        return "".join(cell.text for cell in self)


class Marks(NamedTuple):
    """The signs that stand before a word."""

    run: str = "▸"
    ok: str = "✓"
    bad: str = "✗"
    late: str = "!"
    wait: str = "◦"
    retry: str = "↻"
    paused: str = "‖"
    off: str = "○"
    new: str = "·"
    lost: str = "?"
    dot: str = "·"
    cut: str = "…"
    thumb: str = "┃"
    cursor: str = "▸"
    up: str = "↑"
    down: str = "↓"
    marked: str = "●"
    full: str = "█"
    part: str = "▒"
    rest: str = "░"
    planned: str = "□"
    now: str = "│"
    line: str = "─"
    line_from: str = "├"
    line_to: str = "┤"
    to: str = "→"
    levels: str = "▁▂▃▄▅▆▇█"


ASCII_MARKS = Marks(
    run=">", ok="v", bad="x", late="!", wait=".", retry="~", paused="=", off="o", new="-",
    lost="?", dot="-", cut="~", thumb="|", cursor=">", up="^",
    down="v", marked="*", full="#", part="%", rest=".", planned="_", now="|", line="-",
    line_from="[", line_to="]", to="->", levels=".:-=+*%#",
)  # fmt: skip


def needs_ascii(environ: Mapping[str, str]) -> bool:
    """Whether this terminal shows nothing but ASCII: a console, or no UTF-8 locale."""
    if environ.get("TERM", "").startswith(("linux", "vt100", "vt102", "vt220", "ansi")):
        return True
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    return "utf-8" not in locale.lower() and "utf8" not in locale.lower()


# --- time ----------------------------------------------------------------------------------------


def countdown(left: timedelta) -> str:
    """How long until then: `in 12s`, `in 1m 30s`, `in 45m`, `in 3h 05m`, `in 12d`, `in 11y`."""
    seconds = _whole_seconds_up(left)
    if seconds <= 0:
        late = -seconds
        return "now" if late < 10 * SECOND else f"late {_coarse(late)}"
    return f"in {_coarse(seconds)}"


def age(past: timedelta) -> str:
    """How long ago: `just now` in the first minute, then `3m ago`, `5h ago`, `2d ago`."""
    seconds = int(past.total_seconds())
    if seconds < MINUTE:
        return "just now"
    for unit, letter in ((DAY, "d"), (HOUR, "h")):
        if seconds >= 2 * unit:
            return f"{seconds // unit}{letter} ago"
    return f"{seconds // MINUTE}m ago"


def _overdue(past: timedelta) -> str:
    """How long it is due, in seven cells: `45s ago`, `12m ago`, `23h ago`."""
    seconds = int(past.total_seconds())
    return f"{seconds}s ago" if seconds < MINUTE else age(past)


def duration(seconds: float | None) -> str:
    """A measured length: `0.4s`, `42s`, `1m 04s`, `3h 05m`, `2d 3h`; empty when unknown."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f}s"
    return elapsed(seconds)


def elapsed(seconds: float) -> str:
    """A length that still grows, in whole seconds: `7s`, `1m 04s`, `3h 05m`."""
    whole = max(0, int(seconds))
    if whole < MINUTE:
        return f"{whole}s"
    if whole < HOUR:
        return f"{whole // MINUTE}m {whole % MINUTE:02}s"
    if whole < 2 * DAY:
        return f"{whole // HOUR}h {whole % HOUR // MINUTE:02}m"
    return f"{whole // DAY}d {whole % DAY // HOUR}h"


def moment(at: datetime, now: datetime, zone: tzinfo) -> str:
    """An instant on the wall clock of `zone`, as short as it is unambiguous seen from `now`.

    `02:30` today (`02:30:15` where there are seconds), `Thu 02:30` within six days, `24 Dec`
    within ten months, else `Dec 2027`. Never more than nine characters.
    """
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    if days == 0:
        return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    if 0 < days < 7:
        return f"{_DAYS[local.weekday()]} {local:%H:%M}"
    month = _MONTHS[local.month - 1]
    return f"{local.day} {month}" if abs(days) < 300 else f"{month} {local.year}"


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _whole_seconds_up(left: timedelta) -> int:
    """12.0 s left and 11.2 s left both read `12s`: zero is shown only when the time has come."""
    return -int(-left // timedelta(seconds=1))


def _coarse(seconds: int) -> str:
    if seconds < MINUTE:
        return f"{seconds}s"
    if seconds < SECONDS_UNTIL:
        return f"{seconds // MINUTE}m {seconds % MINUTE:02}s"
    if seconds < HOUR:
        return f"{seconds // MINUTE}m"
    if seconds < 2 * DAY:
        return f"{seconds // HOUR}h {seconds % HOUR // MINUTE:02}m"
    return f"{seconds // DAY}d" if seconds < 2 * YEAR else f"{seconds // YEAR}y"


# --- figures -------------------------------------------------------------------------------------


def size(count: int | None) -> str:
    """Bytes: `812 B`, `4.2 kB`, `1.3 MB`; empty when unknown."""
    if count is None:
        return ""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= 1000
        if value < 999.95 or unit == "GB":
            break
    return f"{value:.1f} {unit}" if value < 99.95 else f"{value:.0f} {unit}"


def percent(rate: float | None) -> str:
    """A share, rounded down: `100%` means every single one."""
    return "" if rate is None else f"{int(rate * 100 + 1e-9)}%"


def plural(count: int, noun: str) -> str:
    """`1 task`, `2 tasks`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


# --- states --------------------------------------------------------------------------------------


def run_state(status: Status, marks: Marks) -> Cell:
    """Where a run stands: its mark and its word."""
    mark, word, tone = _RUN_STATES[status]
    return Cell(f"{getattr(marks, mark)} {word}", tone)


_RUN_STATES: dict[Status, tuple[str, str, Tone]] = {
    Status.QUEUED: ("wait", "queued", "busy"),
    Status.STARTING: ("run", "start", "busy"),
    Status.RUNNING: ("run", "run", "busy"),
    Status.RETRYING: ("retry", "retry", "warn"),
    Status.SUCCESS: ("ok", "ok", "good"),
    Status.FAILED: ("bad", "fail", "bad"),
    Status.TIMEOUT: ("bad", "timeout", "bad"),
    Status.STOPPED: ("off", "stopped", "warn"),
    Status.SKIPPED: ("off", "skipped", "muted"),
    Status.MISSED: ("late", "missed", "warn"),
    Status.LOST: ("lost", "lost", "bad"),
    Status.ERROR: ("bad", "error", "bad"),
}


def task_state(task: TaskView, marks: Marks) -> Cell:
    """What a task is doing, and when it does nothing how its last run ended."""
    if task.running:
        state = run_state(Status.RUNNING, marks)
        return Cell(f"{state.text} {task.running}", "busy") if task.running > 1 else state
    if task.retrying:
        return run_state(Status.RETRYING, marks)
    if task.queued:
        return run_state(Status.QUEUED, marks)
    if task.paused_at is not None:
        return Cell(f"{marks.paused} paused", "warn")
    if not task.active:
        return Cell(f"{marks.off} off", "muted")
    if task.last_run is None:
        return Cell(f"{marks.new} new", "muted")
    return run_state(task.last_run.status, marks)


_REASONS: dict[Reason, str] = {
    Reason.ALREADY_RUNNING: "was still running",
    Reason.QUEUE_FULL: "one was waiting already",
    Reason.DEADLINE: "too late to start",
    Reason.DOWN: "no engine ran",
    Reason.PAUSED: "was paused",
    Reason.QUIET: "quiet time",
    Reason.REPLACED: "replaced by a newer run",
    Reason.USER: "by hand",
    Reason.SETUP: "could not be set up",
    Reason.HOST_RESTART: "the machine restarted",
    Reason.ENGINE_RESTART: "nobody saw its end",
    Reason.LOG_LIMIT: "too much output",
    Reason.RESTORED: "the database was restored",
    Reason.ARCHIVED: "its task was taken away",
}


def result(run: LastRun | RunView) -> str:
    """Why a run ended so, beyond the word for it: `exit 2`, `was still running`; or nothing."""
    if run.status is Status.SUCCESS:
        return ""
    if run.reason is not None:
        return _REASONS[run.reason]
    if run.exit_code is not None:
        return f"exit {run.exit_code}"
    number = getattr(run, "signal", None)
    return signal_name(number) if number else ""


def signal_name(number: int) -> str:
    """`SIGKILL` for 9."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


_TRIGGERS: dict[Trigger, str] = {
    Trigger.SCHEDULE: "schedule",
    Trigger.MANUAL: "by hand",
    Trigger.CATCH_UP: "catch-up",
    Trigger.TEST: "test",
}


def trigger(value: Trigger) -> str:
    """What called a run into being."""
    return _TRIGGERS[value]


# --- what the tables say of a task ---------------------------------------------------------------


def next_run(task: TaskView, now: datetime, zone: tzinfo) -> tuple[Cell, Cell]:
    """When a task starts next, on the clock and counted down."""
    if not task.active or task.next_run_at is None:
        return Cell("-", "muted"), Cell("")
    at = moment(task.next_run_at, now, zone)
    if task.paused_at is not None:
        return Cell(at, "muted"), Cell("paused", "muted")
    if task.next_quiet:
        return Cell(at, "muted"), Cell("quiet", "muted")
    left = countdown(task.next_run_at - now).removeprefix("in ")
    if left.startswith("late"):  # the column has no room for that word and the figure
        return Cell(at), Cell(_overdue(now - task.next_run_at), "warn")
    return Cell(at), Cell(left)


def last_result(task: TaskView, now: datetime) -> tuple[Cell, Cell]:
    """When the last run ended, and why it ended so where that is worth a word: `exit 2`."""
    run = task.last_run
    if run is None:
        return Cell("-", "muted"), Cell("")
    if run.status in ACTIVE:
        return Cell(""), Cell("")
    at = run.finished_at or run.started_at or run.scheduled_for
    return Cell(age(now - at) if at else "", "muted"), Cell(result(run), "muted")


def success_rate(task: TaskView) -> Cell:
    """The share of runs that went well; quiet while all is well."""
    rate = task.success_rate
    return Cell(percent(rate), "muted" if rate is None or rate >= 0.9 else "bad")


# --- what the tables say of a run ----------------------------------------------------------------


def run_length(run: RunView, now: datetime) -> str:
    """How long a run has been going, or took."""
    if run.status in ACTIVE:
        return elapsed((now - run.started_at).total_seconds()) if run.started_at else ""
    return duration(run.duration_s)


def attempt(run: RunView) -> str:
    """`2/4`; nothing for a task that is never retried."""
    return f"{max(1, run.attempts)}/{run.max_attempts}" if run.max_attempts > 1 else ""
