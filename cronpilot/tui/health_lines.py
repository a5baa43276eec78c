"""What the view of health says, most urgent first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from cronpilot.domain.incident import Fault
from cronpilot.domain.text import clean
from cronpilot.tui.formatting import (
    Cell,
    Marks,
    Tone,
    age,
    attempt,
    countdown,
    elapsed,
    plural,
    result,
    run_state,
    size,
)
from cronpilot.tui.incident_lines import WORDS, in_one_line, is_quiet, telling_words, tone_of
from cronpilot.tui.layout import wrap_words
from cronpilot.tui.run_words import lateness_s, stamp

if TYPE_CHECKING:
    from cronpilot.client.messages import (
        Banner,
        FailingTask,
        Health,
        IncidentView,
        PassedSlots,
        QuietStretch,
        RunView,
    )
    from cronpilot.errors import CronPilotError

_BANNER_TONES: dict[str, Tone] = {"error": "bad", "warning": "warn", "information": "busy"}
_ORDER = ("error", "warning", "information")
LITTLE_ROOM = 0.05
"""Share of the disk; when less is free it is worth another tone."""


class HealthLine(NamedTuple):
    """One thing to know. Enter leads to `incident` or `run`, or else to the history of `task`.

    Attributes:
        key: names it, whatever it says: the cursor stays on it.
        bad_only: of that history only the failures are of interest.
    """

    key: str
    state: Cell
    subject: Cell
    words: Cell
    task: tuple[int, str] | None = None
    bad_only: bool = False
    run: RunView | None = None
    incident: IncidentView | None = None

    @property
    def id(self) -> int:
        return crc32(self.key.encode())


def health_lines(health: Health, now: datetime, zone: tzinfo, marks: Marks) -> list[HealthLine]:
    """All that the engine said of its health, as lines."""
    urgent = [
        *_banners(health.banners, marks),
        *(_incident(one, now, zone, marks) for one in health.incidents),
        *_failing(health, now, zone, marks),
        *(_retrying(run, now, marks) for run in health.retrying),
        *(_missed(slots, now, marks) for slots in health.passed if slots.missed),
        *(_late(run, now, zone, marks) for run in health.late),
        *(_skipped(slots, now, marks) for slots in health.passed if not slots.missed),
    ]
    if not urgent:
        words = Cell("Nothing fails, nothing was missed.", "muted")
        urgent = [HealthLine("fine", Cell(f"{marks.ok} fine", "good"),
                             Cell("the last 24 hours", "strong"), words)]  # fmt: skip
    return [
        *urgent, _gap("engine"), *_engine(health, now, zone),
        *_log(health.engine_log, now, zone),
    ]  # fmt: skip


def unread_line(
    trouble: CronPilotError, read_at: datetime, now: datetime, zone: tzinfo
) -> HealthLine:
    """That what follows is no longer known to be so, and why."""
    since = stamp(read_at, now, zone)
    words = f"is as it was at {since}: {clean(trouble.problem)} {clean(trouble.hint)}"
    return HealthLine("unread", Cell("! old", "bad"), Cell("what follows", "strong"), Cell(words))


def folded(lines: Sequence[HealthLine], width: int) -> list[HealthLine]:
    """The same in rows of so many cells for their words. What Enter leads to may be cut off: there
    it is told whole. Of a banner or a line of the log nothing more is to be seen anywhere."""
    rows: list[HealthLine] = []
    for line in lines:
        words = line.words
        leads_on = line.task or line.run or line.incident
        first, *more = [words.text] if leads_on else wrap_words(words.text, max(8, width)) or [""]
        rows.append(line._replace(words=Cell(first, words.tone)))
        rows += [
            HealthLine(f"{line.key} / {number}", Cell(""), Cell(""), Cell(text, words.tone))
            for number, text in enumerate(more, 1)
        ]
    return rows


# --- what needs attention ------------------------------------------------------------------------


def _banners(banners: Sequence[Banner], marks: Marks) -> Iterator[HealthLine]:
    for banner in sorted(banners, key=lambda banner: _ORDER.index(banner.severity)):
        tone = _BANNER_TONES[banner.severity]
        yield HealthLine(
            f"banner {banner.key}", Cell(f"{marks.late} {_word(banner)}", tone),
            Cell(clean(banner.key), "strong"), Cell(clean(f"{banner.text} {banner.hint}"), tone),
        )  # fmt: skip


def _word(banner: Banner) -> str:
    return {"error": "error", "warning": "warning", "information": "note"}[banner.severity]


def _incident(one: IncidentView, now: datetime, zone: tzinfo, marks: Marks) -> HealthLine:
    tone = tone_of(one, now)
    quiet = is_quiet(one, now)
    return HealthLine(
        f"incident {one.id}", Cell(f"{marks.late} {WORDS[one.fault]}", tone),
        Cell(clean(one.task_name), "muted" if quiet else "strong"),
        Cell(in_one_line(one, now, zone), "muted" if quiet else ""),
        task=(one.task_id, one.task_name), incident=one,
    )  # fmt: skip


def _failing(health: Health, now: datetime, zone: tzinfo, marks: Marks) -> Iterator[HealthLine]:
    # What fails has an incident; but for those in which more failures in a row make one.
    told = {one.task_id for one in health.incidents if one.fault is Fault.FAILURE}
    rest = [one for one in health.failing if one.task_id not in told]
    for one in rest:
        yield HealthLine(
            f"failing {one.task_id}", run_state(one.last_run.status, marks),
            Cell(clean(one.task_name), "strong"), Cell(_how_it_fails(one, now, zone)),
            task=(one.task_id, one.task_name), bad_only=True,
        )  # fmt: skip
    more = health.failing_tasks - len(health.failing)
    if more > 0:
        yield HealthLine("failing more", Cell(""), Cell(f"and {more:,} more", "bad"), Cell(""))


def _how_it_fails(one: FailingTask, now: datetime, zone: tzinfo) -> str:
    why = result(one.last_run)
    since = f" since {stamp(one.since, now, zone)}" if one.since else ""
    row = f", {one.failures:,} in a row" if one.failures > 1 else ""
    success = one.last_success_at
    good = f"last success {age(now - success)}" if success else "no success known"
    return "; ".join(part for part in (f"fails{since}{row}", why, good) if part)


def _retrying(run: RunView, now: datetime, marks: Marks) -> HealthLine:
    again = f"next attempt {countdown(run.retry_at - now)}" if run.retry_at else "tries again"
    tries = f"attempt {attempt(run)} failed; " if attempt(run) else ""
    return HealthLine(
        f"retrying {run.id}", run_state(run.status, marks), Cell(clean(run.task_name), "strong"),
        Cell(f"{tries}{again}", "warn"), task=(run.task_id, run.task_name), run=run,
    )  # fmt: skip


def _missed(slots: PassedSlots, now: datetime, marks: Marks) -> HealthLine:
    skipped = f", {slots.skipped:,} skipped" if slots.skipped else ""
    words = f"{plural(slots.missed, 'slot')} missed{skipped} in 24 h, {age(now - slots.newest)}"
    return HealthLine(
        f"missed {slots.task_id}", Cell(f"{marks.late} missed", "warn"),
        Cell(clean(slots.task_name), "strong"), Cell(words),
        task=(slots.task_id, slots.task_name),
    )  # fmt: skip


def _skipped(slots: PassedSlots, now: datetime, marks: Marks) -> HealthLine:
    words = f"{plural(slots.skipped, 'slot')} skipped in 24 h, {age(now - slots.newest)}"
    return HealthLine(
        f"missed {slots.task_id}", Cell(f"{marks.off} skipped", "muted"),
        Cell(clean(slots.task_name), "strong"), Cell(words, "muted"),
        task=(slots.task_id, slots.task_name),
    )  # fmt: skip


def _late(run: RunView, now: datetime, zone: tzinfo, marks: Marks) -> HealthLine:
    at = stamp(run.scheduled_for, now, zone) if run.scheduled_for else ""
    words = f"the slot of {at} began {elapsed(lateness_s(run) or 0)} late"
    return HealthLine(
        f"late {run.id}", Cell(f"{marks.late} late", "warn"), Cell(clean(run.task_name), "strong"),
        Cell(words), task=(run.task_id, run.task_name), run=run,
    )  # fmt: skip


# --- how the engine is doing ---------------------------------------------------------------------


def _gap(name: str) -> HealthLine:
    return HealthLine(f"gap {name}", Cell(""), Cell(""), Cell(""))


def _fact(name: str, words: str, tone: Tone = "") -> HealthLine:
    return HealthLine(f"fact {name}", Cell(""), Cell(name, "muted"), Cell(words, tone))


def _engine(health: Health, now: datetime, zone: tzinfo) -> Iterator[HealthLine]:
    engine = health.engine
    if engine is not None:
        since = stamp(engine.started_at, now, zone)
        yield _fact("engine", f"version {clean(engine.version)}, pid {engine.pid}, since {since}")
        yield _fact("state", clean(engine.state_dir))
    keeper = f"pid {health.keeper_pid}" if health.keeper_pid else "none: nothing runs"
    yield _fact("keeper", keeper)
    scarce = health.disk_free < LITTLE_ROOM * health.disk_size
    room = f"{size(health.disk_free)} free of {size(health.disk_size)}"
    yield _fact("disk", room, "warn" if scarce else "")
    copied = f"copied {age(now - health.copied_at)}" if health.copied_at else "no nightly copy yet"
    yield _fact("database", f"{size(health.database_size)}, {copied}")
    more = "" if health.logs_measured else "more than "
    yield _fact("logs", f"{more}{size(health.logs_size)}")
    for number, (words, tone) in enumerate(telling_words(health.telling, now)):
        title = "messages" if not number else ""
        yield HealthLine(f"telling {number}", Cell(""), Cell(title, "muted"), Cell(words, tone))
    for number, quiet in enumerate(health.quiet):
        title = "quiet times" if not number else ""
        holds: Tone = "busy" if quiet.starts_at <= now else ""
        yield HealthLine(f"quiet {quiet.name}", Cell(""), Cell(title, "muted"),
                         Cell(_quiet(quiet, now, zone), holds))  # fmt: skip
    for number, step in enumerate(health.clock_steps):
        words = f"moved {clean(step.detail)} at {stamp(step.at, now, zone)}"
        yield HealthLine(f"clock {number}", Cell(""), Cell("clock", "muted"), Cell(words, "warn"))
    if not health.clock_steps:
        yield _fact("clock", "not moved in 7 days")


def _quiet(quiet: QuietStretch, now: datetime, zone: tzinfo) -> str:
    begins, ends = stamp(quiet.starts_at, now, zone), stamp(quiet.ends_at, now, zone)
    if quiet.starts_at.astimezone(zone).date() == quiet.ends_at.astimezone(zone).date():
        ends = f"{quiet.ends_at.astimezone(zone):%H:%M}"
    since = f"holds since {begins}" if quiet.starts_at <= now else f"from {begins}"
    then = ", then one run" if quiet.then == "after" else ""
    return (
        f"{clean(quiet.name)}: {since} until {ends};"
        f" skips {plural(quiet.skips, 'start')} of {plural(quiet.task_count, 'task')}{then}"
    )


_LOGGED = re.compile(r"(\d{4}-\d\d-\d\dT[\d:.]+Z) ([A-Z]+) (.*)", re.DOTALL)
_QUOTED = re.compile(r'msg="(.*)"', re.DOTALL)
_LEVELS: dict[str, Tone] = {"WARNING": "warn", "ERROR": "bad", "CRITICAL": "bad"}


def _logged(line: str, now: datetime, zone: tzinfo) -> Cell:
    """A line of the engine's log as a sentence, its time on the clock of everything else here."""
    found = _LOGGED.fullmatch(line)
    if found is None:
        return Cell(clean(line), "muted")
    at, level, words = found.groups()
    if quoted := _QUOTED.fullmatch(words):
        words = quoted[1].replace('\\"', '"').replace("\\\\", "\\")
    time = stamp(datetime.fromisoformat(at), now, zone)
    return Cell(f"{time} {level.lower()}: {clean(words)}", _LEVELS.get(level, "muted"))


def _log(lines: Sequence[str], now: datetime, zone: tzinfo) -> Iterator[HealthLine]:
    """Newest first, as everything above."""
    if not lines:
        yield _fact("engine.log", "empty; an engine without a screen writes to its standard error")
        return
    yield _gap("log")
    for number, line in enumerate(reversed(lines)):
        title = "engine.log" if not number else ""
        yield HealthLine(f"log {number}", Cell(""), Cell(title, "muted"), _logged(line, now, zone))
