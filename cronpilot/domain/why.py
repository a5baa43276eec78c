"""Why a task did, or did not, start at a moment: facts in, sentences out.

The rows are the truth: where a slot has one, that is explained. Only where there is none, the
definition and its history say why. Times in sentences are those of the task's zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cronpilot.domain.duration import format_duration
from cronpilot.domain.schedule import ScheduleType
from cronpilot.domain.why_clock import clock_changes
from cronpilot.domain.why_facts import Around, Change, Engine, Planned, Row, Task
from cronpilot.domain.why_rows import SAME, details, predicate, quiet_name
from cronpilot.domain.why_words import Teller

_LOOKED_AT = 2000  # slots that may lie in quiet times before one that does not


@dataclass(frozen=True, slots=True)
class Why:
    """The answer: one sentence, the rule behind it, and more, the most important first."""

    verdict: str
    rule: str
    because: tuple[str, ...] = ()
    slot: datetime | None = None
    runs: tuple[int, ...] = ()


# --- now -----------------------------------------------------------------------------------------


def why_now(
    task: Task, engine: Engine, now: datetime, open_runs: tuple[Row, ...], last: Around
) -> Why:
    """What the task does now, and what it does next or why nothing is planned.

    Args:
        last: its newest run and what went on around that.
    """
    tell = Teller(task.plan.zone)
    verdict, rule = _next(task, engine, now, tell)
    about = [f"Run {run.id} {predicate(run, task, Around(), tell)[0]}." for run in open_runs]
    about += _hindrances(task, engine, tell, named=rule)
    if task.plan.offset and task.next_run_at:
        about.append(f"Its spread puts every start {format_duration(task.plan.offset)} later.")
    newest = last.row
    if not open_runs and newest is not None:
        about.append(f"Its last run, {newest.id}, {predicate(newest, task, last, tell)[0]}.")
    runs = tuple(run.id for run in open_runs) or ((newest.id,) if newest else ())
    slot = None if task.next_run_at is None else task.next_run_at - task.plan.offset
    return Why(verdict, rule, tuple(about), slot, runs)


def _next(task: Task, engine: Engine, now: datetime, tell: Teller) -> tuple[str, str]:
    plan, at = task.plan, task.next_run_at
    if task.archived_at is not None:
        return f"It was taken away at {tell.at(task.archived_at)}.", "archived"
    if not plan.active:
        return "It is inactive (active: false): nothing is planned.", "inactive"
    if plan.kind is ScheduleType.MANUAL:
        return "It has no schedule: it starts only by hand.", "manual"
    if at is None and plan.lost_zone:
        return (
            f"This machine does not know its time zone, {plan.lost_zone}: nothing is planned.",
            "time zone",
        )
    if at is None and plan.kind is ScheduleType.ONCE:
        return f"Its one time, {plan.words}, has passed: nothing is planned.", "once"
    if at is None:
        return f"Its schedule, {plan.words}, has no further time.", "no slot"
    if task.paused_at is not None:
        return _paused(task, tell), "paused"
    if engine.paused_at is not None:
        since = tell.at(engine.paused_at)
        return f"The scheduler is paused since {since}: nothing starts by itself.", (
            "scheduler paused"
        )
    if at <= now:
        return _due(at, engine, task, tell), "due"
    if quiet := quiet_name(plan.times, at - plan.offset):
        loud = _not_quiet_after(plan, at - plan.offset)
        then = f"; it starts next at {tell.at(loud + plan.offset)}" if loud else ""
        return f"Its slot at {tell.at(at)} lies in the quiet time {quiet!r}{then}.", "quiet"
    return f"It starts next at {tell.at(at)}.", f"schedule: {plan.words}"


def _not_quiet_after(plan: Planned, slot: datetime) -> datetime | None:
    """The first slot after this one that no quiet time keeps from being started."""
    found: datetime | None = slot
    for _ in range(_LOOKED_AT):
        found = plan.times.next_after(found) if found is not None else None
        if found is None or not quiet_name(plan.times, found):
            break
    return found


def _paused(task: Task, tell: Teller) -> str:
    by = f" by {task.paused_by}" if task.paused_by else ""
    until = f" until {tell.at(task.paused_until)}" if task.paused_until else ""
    since = "" if task.paused_at is None else f" since {tell.at(task.paused_at)}"
    return f"It is paused{since}{by}{until}: nothing of it starts by itself."


def _due(at: datetime, engine: Engine, task: Task, tell: Teller) -> str:
    if engine.runs:
        return f"It is due since {tell.at(at)}: the decision is made within seconds."
    return (
        f"It was due at {tell.at(at)}, and no engine runs. The next one decides, by missed:"
        f" {task.missed}."
    )


def _hindrances(task: Task, engine: Engine, tell: Teller, named: str = "") -> list[str]:
    """Why a planned start would not happen, without what the answer has `named` already."""
    found = []
    if task.paused_at is not None and named != "paused":
        found.append(_paused(task, tell))
    if engine.paused_at is not None and named != "scheduler paused":
        found.append(f"The scheduler is paused since {tell.at(engine.paused_at)}.")
    if not engine.runs and named != "due":
        found.append("No engine runs now: without one, nothing starts.")
    return found


# --- at a moment ---------------------------------------------------------------------------------


def slot_of(plan: Planned, at: datetime, row: Row | None) -> datetime | None:
    """The slot that a question about `at` means: the last one not after it.

    A row counts where the plan knows no later slot: it was another plan then.
    """
    slot = plan.times.latest(at) if plan.active else None
    recorded = None if row is None or row.slot is None else row.slot
    if recorded is not None and (slot is None or recorded > slot):
        return recorded
    return slot


def covers(row: Row, slot: datetime) -> bool:
    """Whether a row holds the verdict of this slot."""
    return row.slot is not None and row.slot <= slot <= (row.until or row.slot)


def why_at(
    task: Task, then: Planned | None, engine: Engine, around: Around, at: datetime, now: datetime
) -> Why:
    """Which rule gave the verdict of the slot at or last before `at`, or why there is none.

    Args:
        then: the plan in force at `at`; None when there was no task, or it was taken away.
    """
    plan = then or task.plan
    tell = Teller(plan.zone)
    row = around.row
    slot = slot_of(plan, at, row) if then is not None else (row.slot if row else None)
    if then is None and (slot is None or at - slot >= SAME):
        return _no_task(task, around, at, tell)
    if slot is None:
        return _no_slot(plan, around, at, now, tell)
    if row is not None and covers(row, slot):
        verdict, rule = predicate(row, task, around, tell)
        about = [*details(row, task, around, plan, tell)]
        runs = tuple(sorted({row.id} | ({around.other.id} if around.other else set())))
    else:
        verdict, rule, about = _without_row(task, plan, engine, around, slot, at, now, tell)
        runs = ()
    about += clock_changes(plan, at, slot, tell)
    about += _by_hand(around, tell)
    runs += tuple(run.id for run in around.by_hand if run.id not in runs)
    if at < slot + plan.offset + SAME:
        return Why(f"It {verdict}.", rule, tuple(about), slot, runs)
    following = plan.times.next_after(at) if plan.active else None
    if following is not None:
        about.insert(0, f"The next slot after that: {tell.at(following)}.")
    if rule not in ("schedule", "no slot"):
        about.insert(0, f"The rule for the one before it: {rule}.")
    sentence = f"No slot at {tell.at(at)}. The one before it, {tell.at(slot)}, {verdict}."
    return Why(sentence, "no slot", tuple(about), slot, runs)


def _no_task(task: Task, around: Around, at: datetime, tell: Teller) -> Why:
    made = next((change for change in around.changes if change.after is not None), None)
    if made is not None:
        return Why(
            f"There was no such task at {tell.at(at)}: it was made at {tell.at(made.at)} by"
            f" {made.actor}.",
            "not made yet",
            ("Nothing is made up for that lies before the making of a task.",),
        )
    gone = "" if task.archived_at is None else f" at {tell.at(task.archived_at)}"
    return Why(f"The task was taken away{gone}: nothing of it is planned.", "archived")


def _no_slot(plan: Planned, around: Around, at: datetime, now: datetime, tell: Teller) -> Why:
    about = _by_hand(around, tell)
    runs = tuple(run.id for run in around.by_hand)
    tense = "was" if at <= now else "is"
    if not plan.active:
        return Why(
            f"It {tense} inactive (active: false) at {tell.at(at)}: nothing {tense} planned.",
            "inactive", tuple(about), None, runs,
        )  # fmt: skip
    if plan.kind is ScheduleType.MANUAL:
        text = f"No slot at {tell.at(at)}: it has no schedule and starts only by hand."
        return Why(text, "manual", tuple(about), None, runs)
    first = plan.times.next_after(at)
    if first is not None:
        about.insert(0, f"The first slot of {plan.words} after that: {tell.at(first)}.")
    return Why(
        f"No slot at {tell.at(at)}, and none before it.", "no slot", tuple(about), None, runs
    )


def _by_hand(around: Around, tell: Teller) -> list[str]:
    return [
        f"Run {run.id} was started by hand{f' by {run.actor}' if run.actor else ''} at"
        f" {tell.at(run.queued_at)}: {run.status}."
        for run in around.by_hand
    ]


# --- a slot without a row ------------------------------------------------------------------------


def _without_row(
    task: Task, plan: Planned, engine: Engine, around: Around, slot: datetime, at: datetime,
    now: datetime, tell: Teller,
) -> tuple[str, str, list[str]]:  # fmt: skip
    start = slot + plan.offset
    changed = _deciding(around, slot, at)
    if start > now:
        later = f", starting at {tell.at(start)} by its spread" if plan.offset else ""
        if quiet := quiet_name(plan.times, slot):
            return f"will be skipped: it lies in the quiet time {quiet!r}", "quiet", []
        said = f"is planned for {tell.at(slot)}{later}"
        return said, f"schedule: {plan.words}", _hindrances(task, engine, tell)
    if task.paused_at is not None and changed is None:
        return (
            "has no verdict yet: the task is paused",
            "paused",
            [_paused(task, tell), "When it is resumed, one row will stand for what passed."],
        )
    if engine.paused_at is not None and changed is None:
        return (
            "has no verdict yet: the scheduler is paused",
            "scheduler paused",
            ["When it is resumed, one row will stand for what passed."],
        )
    if changed is not None:
        said, rule = _bearing(changed)
        return f"has no row: the task was {said} after it", rule, [_change(changed, tell)]
    if task.next_run_at is not None and task.next_run_at <= now:
        return "has no verdict yet", "due", [_due(task.next_run_at, engine, task, tell)]
    if around.kept_since is not None and slot < around.kept_since:
        kept = f"The oldest slot that still has its row is {tell.at(around.kept_since)}."
        return "has no row any more", "not kept", [kept]
    if around.stepped:
        return "has no row", "clock moved", [f"The clock was moved then: {around.stepped}."]
    return "has no row, and nothing that is known says why", "unknown", []


def _deciding(around: Around, slot: datetime, at: datetime) -> Change | None:
    """The change of the plan that bears on a slot without a row: the last one between it and the
    moment asked about, else the first one after it."""
    after = [change for change in around.changes if change.at >= slot]
    until = [change for change in after if change.at <= at]
    return until[-1] if until else next(iter(after), None)


def _bearing(change: Change) -> tuple[str, str]:
    """What a change was to a slot before it, and the rule by that name."""
    if change.before is None:
        return "made", "not made yet"
    return ("changed", "changed") if change.after is not None else ("taken away", "archived")


def _change(change: Change, tell: Teller) -> str:
    if change.after is None:
        return f"{change.actor} took the task away at {tell.at(change.at)}."
    if change.before is None:
        return (
            f"{change.actor} made it at {tell.at(change.at)}: nothing before that is made up for."
        )
    return (
        f"{change.actor} changed {change.before} to {change.after} at {tell.at(change.at)}: nothing"
        " before that is made up for."
    )
