"""The periodic look at what nobody ends: late starts, long runs, silent tasks, daily lines.

It reads what goes on (few rows) and what stands (fewer), never all tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from cronpilot.domain.alarms import FLOOR, Auto, bound
from cronpilot.domain.duration import format_duration
from cronpilot.domain.incident import Fault, is_reminder_due, newest_daily
from cronpilot.domain.run import Status
from cronpilot.engine.incidents import Judge, Telling, delay_of
from cronpilot.engine.usual import Usuals
from cronpilot.storage import incidents, usual
from cronpilot.storage.database import Connection
from cronpilot.storage.incidents import Kept

Row = Mapping[Any, Any]
Act = Callable[[Judge], None]


def look(
    connection: Connection, telling: Telling, usuals: Usuals, now: datetime, *, silence: bool
) -> list[Act]:
    """What is to be done in the writer's transaction; nothing where all is as usual.

    Args:
        silence: look for silent tasks, too; that is a query for each one that is watched.
    """
    rows = usual.goes_on(connection)
    standing = incidents.standing(connection, {row["task_id"] for row in rows}) if rows else {}
    acts = [act for row in rows for act in _about_run(connection, usuals, row, standing, now)]
    if silence:
        acts += _silent(connection, now)
    opened = incidents.open_with_tasks(connection)
    if opened:
        acts += _over(connection, opened)
        acts += _to_remind(opened, telling, now)
    return acts


# --- what goes on --------------------------------------------------------------------------------


def _about_run(
    connection: Connection,
    usuals: Usuals,
    row: Row,
    standing: Mapping[tuple[int, Fault], Kept],
    now: datetime,
) -> Iterator[Act]:
    alarms = row["alarms"]
    if row["status"] is Status.RUNNING and row["started_at"] is not None:
        fault, passed, setting = Fault.LONG, now - row["attempt_began"], alarms.long
    elif _is_overdue(row):
        fault, passed, setting = Fault.LATE, delay_of(row, now), alarms.late
    else:
        return
    if setting is Auto.OFF or (setting is Auto.AUTO and passed < FLOOR):
        return  # most of them, without a look at their history
    known = standing.get((row["task_id"], fault))
    if known is not None and (known.run_id or 0) >= row["run_id"]:
        return  # told already
    history = usuals.of(connection, row["task_id"], row["successes"])
    limit = bound(setting, history.length if fault is Fault.LONG else history.delay)
    if limit is not None and passed > limit:
        yield _bad(row, fault, now, _SENTENCES[fault].format(_round(passed), _round(limit)))


def _is_overdue(row: Row) -> bool:
    """Whether it is a slot that waits to be started, and nobody has paused it."""
    return (
        row["status"] is Status.QUEUED
        and row["trigger"] == "schedule"
        and row["scheduled_for"] is not None
        and row["started_at"] is None
        and row["paused_at"] is None
    )


_SENTENCES = {
    Fault.LONG: "It has been running for {}; more than {} is not usual.",
    Fault.LATE: "It should have started {} ago; more than {} is not usual.",
}


def _round(value: timedelta) -> str:
    unit = timedelta(seconds=1) if value < timedelta(hours=2) else timedelta(minutes=1)
    return format_duration(value // unit * unit)


def _bad(row: Row, fault: Fault, at: datetime, detail: str) -> Act:
    def act(judge: Judge) -> None:
        if not judge.is_over(row.get("run_id")):
            judge.bad(row, fault, at, detail=detail)

    return act


# --- who says nothing ----------------------------------------------------------------------------


def _silent(connection: Connection, now: datetime) -> Iterator[Act]:
    rows = usual.watched_for_silence(connection)
    standing = incidents.standing(connection, [row["task_id"] for row in rows]) if rows else {}
    for row in rows:
        limit = row["alarms"].silent
        if (row["task_id"], Fault.SILENT) in standing or not isinstance(limit, timedelta):
            continue
        last = usual.last_success(connection, row["task_id"])
        if now - (last or row["created_at"]) > limit:
            yield _bad(row, Fault.SILENT, now, _how_silent(last, row, now))


def _how_silent(last: datetime | None, row: Row, now: datetime) -> str:
    if last is None:
        known = "It never succeeded" if not row["successes"] else "No success is remembered"
        return f"{known} since it was made {_round(now - row['created_at'])} ago."
    return f"No success for {_round(now - last)}."


# --- what stands ---------------------------------------------------------------------------------


def _task_of(row: Row) -> Row:
    """What of a row of `open_with_tasks` is about its task."""
    facts = {
        name.removeprefix("task_"): value for name, value in row.items()
        if str(name).startswith("task_") and name != "task_id"
    }  # fmt: skip
    return {**facts, "task_id": row["task_id"], "run_id": row["run_id"]}


def _over(connection: Connection, opened: list[Any]) -> Iterator[Act]:
    """Incidents whose task is gone or not watched any more, or whose run is over unnoticed."""
    long = [row["run_id"] for row in opened if row["fault"] is Fault.LONG and row["run_id"]]
    over = usual.final_status(connection, long) if long else {}
    for row in opened:
        task, kept = _task_of(row), incidents.kept_of(row)
        if row["task_archived_at"] is not None:
            yield _end(kept, "Its task was taken away.")
        elif _is_off(row):
            yield _end(kept, "Its alarm was switched off.")
        elif kept.fault is Fault.LONG and kept.run_id in over:
            yield _good(task, kept)


def _is_off(row: Row) -> bool:
    fault: Fault = row["fault"]
    if fault is Fault.FAILURE:
        return False
    return getattr(row["task_alarms"], fault.value) is Auto.OFF


def _end(kept: Kept, why: str) -> Act:
    return lambda judge: judge.end(kept, why)


def _good(task: Row, kept: Kept) -> Act:
    def act(judge: Judge) -> None:
        judge.know([kept.task_id])
        judge.good(task, kept.fault, kept.standing.last_at)

    return act


def _to_remind(opened: list[Any], telling: Telling, now: datetime) -> Iterator[Act]:
    if telling.daily is None:
        return
    newest = newest_daily(now, telling.daily, telling.zone)
    for row in opened:
        kept = incidents.kept_of(row)
        if row["opened_at"] is not None and is_reminder_due(kept.standing, now, newest):
            yield _remind(_task_of(row), kept)


def _remind(task: Row, kept: Kept) -> Act:
    return lambda judge: judge.remind(task, kept)
