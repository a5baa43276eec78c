"""Decides what is due, and writes the verdicts and the next run in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cronpilot.domain.plan import DueTask, Plan, SlotVerdict, fold_paused, plan, spread_offset
from cronpilot.domain.quiet import WithQuiet, from_key
from cronpilot.domain.run import Reason, Status
from cronpilot.domain.schedule import FireTimes, ScheduleType, fire_times
from cronpilot.domain.text import clean
from cronpilot.domain.zones import find_zone
from cronpilot.runner.keeper import crash
from cronpilot.storage import due_tasks, runs, tasks
from cronpilot.storage.database import Connection

if TYPE_CHECKING:
    from cronpilot.engine.launch import Claim

log = logging.getLogger("cronpilot.planner")

MOST_SAID = 20  # lines of the log after one pass


@dataclass(slots=True)
class Changes:
    """What a transaction has changed; told to the dispatcher and to those who look."""

    task_ids: set[int] = field(default_factory=set)
    run_ids: list[int] = field(default_factory=list)
    to_stop: list[int] = field(default_factory=list)  # runs that a newer one replaces
    warnings: list[str] = field(default_factory=list)  # for the log, once this is committed
    claims: Sequence[Claim] | None = None  # runs to be started now; None: nobody looked for any
    retries_moved: bool = False  # they are due at other times than before

    def add(self, other: Changes) -> None:
        self.task_ids |= other.task_ids
        self.run_ids += other.run_ids
        self.to_stop += other.to_stop
        self.warnings += other.warnings
        self.retries_moved |= other.retries_moved


def log_warnings(changes: Changes) -> None:
    """Say them; of a flood the first ones and how many more. Never inside a transaction: whoever
    reads the log may be slow, and the writer would wait for them."""
    for sentence in changes.warnings[:MOST_SAID]:
        log.warning("%s", sentence)
    if len(changes.warnings) > MOST_SAID:
        log.warning("... and %s more like these", len(changes.warnings) - MOST_SAID)


@lru_cache(maxsize=16_384)
def times_of(type_: ScheduleType, resolved: str, zone: str, quiet: str = "") -> FireTimes:
    """The fire times of a task row; cached, because thousands of rows share a schedule.

    Args:
        quiet: its quiet times, see `domain.quiet.to_key`.
    """
    times = fire_times(type_, resolved, find_zone(zone))
    return WithQuiet(times, from_key(quiet), find_zone(zone)) if quiet else times


def times_of_resolved(resolved: str, zone: str, quiet: str = "") -> FireTimes:
    """The same from what was stored beside the schedule alone, where thousands of rows are read."""
    if not resolved:
        return times_of(ScheduleType.MANUAL, resolved, zone, quiet)
    if resolved[10:11] == "T":  # an instant, or an anchor with its interval; else an expression
        type_ = ScheduleType.INTERVAL if "/" in resolved else ScheduleType.ONCE
        return times_of(type_, resolved, zone, quiet)
    return times_of(ScheduleType.CUSTOM, resolved, zone, quiet)


def times_of_row(row: Mapping[Any, Any]) -> FireTimes:
    """The fire times of a task row."""
    return times_of(row["schedule"].type, row["resolved"], row["zone_key"], row["quiet_key"])


def offset_of_row(row: Mapping[Any, Any]) -> timedelta:
    """The spread offset of a task row."""
    return spread_offset(row["name"], row["spread"])


def decide_due(
    connection: Connection, ids: Sequence[int], now: datetime, watched_since: datetime
) -> Changes:
    """Give the due slots of these tasks their verdicts and plan their next runs.

    Runs in the writer's transaction: the facts it decides on are those it commits beside.
    """
    still_open = tasks.open_runs(connection, ids)
    simple = _simply_due(
        connection, [id_ for id_ in ids if id_ not in still_open], now, watched_since
    )
    changes = _decide_each(
        connection, [id_ for id_ in ids if id_ not in simple], still_open, now, watched_since
    )
    changes.run_ids += due_tasks.queue(connection, simple, now)
    changes.task_ids |= simple.keys()
    if changes.run_ids:
        crash.here("engine.planned")
    return changes


def _simply_due(
    connection: Connection, ids: Sequence[int], now: datetime, watched_since: datetime
) -> dict[int, datetime | None]:
    """Those of these tasks (none of which has an open run) of which one slot is due, and is to be
    queued, each with its new `next_run_at`. One decision for all that are alike."""
    found: dict[int, datetime | None] = {}
    for alike in due_tasks.by_rules(connection, ids, now):
        decided = plan(
            DueTask(
                times_of_resolved(alike.resolved, alike.zone_key, alike.quiet_key),
                alike.next_run_at, overlap=alike.overlap, missed=alike.missed,
                missed_limit=alike.missed_limit, deadline=alike.deadline,
                watched_since=watched_since,
            ),
            now,
        )  # fmt: skip
        if decided.verdicts == (SlotVerdict(alike.next_run_at, Status.QUEUED),):
            found.update(dict.fromkeys(alike.ids, decided.next_run_at))
    return found


def _decide_each(
    connection: Connection,
    ids: Sequence[int],
    still_open: Mapping[int, Sequence[tasks.OpenRun]],
    now: datetime,
    watched_since: datetime,
) -> Changes:
    changes = Changes()
    slots: list[runs.Slot] = []
    moves: list[tuple[int, datetime | None]] = []
    decisions: list[_Decision] = []
    for row in tasks.facts(connection, ids):
        if row["next_run_at"] is None or row["next_run_at"] > now:
            continue  # edited since the pass read it
        if row["archived_at"] is not None or row["paused_at"] is not None:
            continue
        going = still_open.get(row["id"], [])
        decided = plan(_due_task(row, going, watched_since), now)
        moves.append((row["id"], decided.next_run_at))
        slots += _slots(row, decided, now)
        changes.task_ids.add(row["id"])
        decisions.append((row, decided, going))
    changes.run_ids = runs.record(connection, slots, moves)
    if len(changes.run_ids) < len(slots):
        decisions = _record_the_rest(connection, decisions, changes.run_ids, now)
    for task, verdicts, replaced in decisions:
        if verdicts.replaces:
            changes.to_stop += [run.id for run in replaced]
        changes.warnings += _warnings(task["name"], verdicts)
    return changes


_Decision = tuple[Mapping[Any, Any], Plan, Sequence[tasks.OpenRun]]


def _record_the_rest(
    connection: Connection, decisions: Sequence[_Decision], run_ids: list[int], now: datetime
) -> list[_Decision]:
    """The clock was set back: some of these slots have met their verdicts before.

    Nothing is stopped for them, nothing is said again. Of a folded row that begins with one of
    them, the others are recorded still; its id is added to `run_ids`.
    """
    new = runs.slots_of(connection, run_ids)
    rest: list[_Decision] = []
    for row, decided, going in decisions:
        verdicts = []
        for verdict in decided.verdicts:
            asked = verdict
            while (row["id"], asked.slot) not in new:
                following = times_of_row(row).next_after(asked.slot) if asked.until else None
                if following is None or asked.until is None:
                    break
                end = asked.until if following < asked.until else None
                asked = replace(asked, slot=following, until=end, count=max(1, asked.count - 1))
                slot = decided._replace(verdicts=(asked,))
                run_ids += runs.record(connection, _slots(row, slot, now))
                new |= runs.slots_of(connection, run_ids[-1:])
            else:
                verdicts.append(asked)
        starts = any(verdict.status is Status.QUEUED for verdict in verdicts)
        kept = decided._replace(verdicts=tuple(verdicts), replaces=decided.replaces and starts)
        rest.append((row, kept, going))
    return rest


def fold_while_paused(
    connection: Connection, ids: Sequence[int], now: datetime, until: datetime | None = None
) -> Changes:
    """Fold the slots that passed while these tasks were paused, and plan on.

    Args:
        until: the end of the pause, if that was before `now`: later slots are not folded.
    """
    until = until or now
    changes = Changes()
    going = tasks.open_runs(connection, ids)
    for row in tasks.facts(connection, ids):
        if row["next_run_at"] is None or row["next_run_at"] > until:
            continue
        decided = fold_paused(
            times_of_row(row), offset_of_row(row), row["next_run_at"], until,
            make_up=row["run_after_pause"] and not going.get(row["id"]),
        )  # fmt: skip
        tasks.set_next(connection, [(row["id"], decided.next_run_at)])
        changes.run_ids += runs.record(connection, _slots(row, decided, now))
        changes.task_ids.add(row["id"])
    return changes


def _due_task(
    row: Mapping[Any, Any], going: Sequence[tasks.OpenRun], watched_since: datetime
) -> DueTask:
    waiting = sum(run.status is Status.QUEUED for run in going)
    return DueTask(
        times=times_of_row(row),
        next_run_at=row["next_run_at"],
        offset=offset_of_row(row),
        overlap=row["overlap"],
        missed=row["missed"],
        missed_limit=row["missed_limit"],
        deadline=row["deadline"],
        going=len(going) - waiting,
        waiting=waiting,
        watched_since=watched_since,
    )


def _slots(row: Mapping[Any, Any], decided: Plan, now: datetime) -> list[runs.Slot]:
    return [
        runs.Slot(
            task_id=row["id"],
            task_version=row["version"],
            trigger=verdict.trigger,
            status=verdict.status,
            reason=verdict.reason,
            scheduled_for=verdict.slot,
            queued_at=now,
            priority=row["priority"],
            pool=row["pool"],
            folded_until=verdict.until,
            folded_count=verdict.count,
        )
        for verdict in decided.verdicts
    ]


def refusal(name: str, reason: Reason | None) -> list[str]:
    """The sentence for the log where overlap kept a task from starting."""
    match reason:
        case Reason.ALREADY_RUNNING:
            return [f"Task {clean(name)} is already running, skipping"]
        case Reason.QUEUE_FULL:
            return [f"Task {clean(name)} has a run waiting already, skipping"]
    return []


def _warnings(name: str, decided: Plan) -> Iterator[str]:
    for verdict in decided.verdicts:
        yield from refusal(name, verdict.reason)
        match verdict.reason:
            case Reason.DOWN:
                yield f"Task {clean(name)}: {verdict.count} missed while nobody was there"
            case Reason.DEADLINE:
                yield f"Task {clean(name)} was due too long ago, missed"
