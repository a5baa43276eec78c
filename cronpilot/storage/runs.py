"""Runs: recorded before anything starts, moved from state to state, never rewritten once final."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Integer,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from cronpilot.domain.run import COUNTED, MOVES, Reason, Status, Trigger
from cronpilot.domain.task import Overlap
from cronpilot.storage.database import BY_OPEN, BY_QUEUE, DIALECT, insert_new
from cronpilot.storage.tables import OPEN, WIDE, Attempt, Run, Task

RUN = Run.__table__  # type: ignore[attr-defined]
TASK = Task.__table__  # type: ignore[attr-defined]
ATTEMPT = Attempt.__table__  # type: ignore[attr-defined]

_FINAL = [str(status) for status in Status if status.is_final]
_NEW = insert_new(RUN)
_NEWEST = select(func.coalesce(func.max(RUN.c.id), 0))


@dataclass(frozen=True, slots=True)
class Slot:
    """A row to record: one slot with its verdict, or several folded into one."""

    task_id: int
    task_version: int
    trigger: Trigger
    status: Status
    reason: Reason | None
    scheduled_for: datetime
    queued_at: datetime
    priority: int
    pool: str | None
    folded_until: datetime | None = None
    folded_count: int = 1


def record(connection: Connection, slots: Sequence[Slot]) -> list[int]:
    """Record slots; the ids of the new rows, ascending. A slot that is recorded already is left,
    and not counted again."""
    if not slots:
        return []
    before = connection.execute(_NEWEST).scalar_one()
    connection.execute(
        _NEW,
        [
            {
                "task_id": slot.task_id,
                "task_version": slot.task_version,
                "trigger": slot.trigger,
                "status": slot.status,
                "reason": slot.reason,
                "scheduled_for": slot.scheduled_for,
                "folded_until": slot.folded_until,
                "folded_count": slot.folded_count,
                "queued_at": slot.queued_at,
                "finished_at": slot.queued_at if slot.status.is_final else None,
                "priority": slot.priority,
                "pool": slot.pool,
                "detail": "",
                "attempts": 0,
                "launches": 0,
                "actor": "",
            }
            for slot in slots
        ],
    )
    rows = connection.execute(
        select(RUN.c.id, RUN.c.task_id, RUN.c.status).where(RUN.c.id > before).order_by(RUN.c.id)
    ).all()
    _remember_last(connection, [(row.task_id, row.id, row.status) for row in rows])
    final = [Result(row.task_id, row.status) for row in rows if row.status.is_final]
    count_results(connection, final)
    return [row.id for row in rows]


_REMEMBER = (
    update(TASK).where(TASK.c.id == bindparam("task")).values(last_run_id=bindparam("newest"))
)


def _remember_last(connection: Connection, rows: Sequence[tuple[int, int, Status]]) -> None:
    """The last result of a task is its newest run that is more than a note about a slot."""
    newest = {
        task_id: run_id
        for task_id, run_id, status in rows
        if status not in (Status.SKIPPED, Status.MISSED)
    }
    if newest:
        connection.execute(
            _REMEMBER, [{"task": task, "newest": run} for task, run in newest.items()]
        )


def by_request(connection: Connection, request_id: str) -> int | None:
    """The run that this request started already."""
    return connection.execute(
        select(RUN.c.id).where(RUN.c.request_id == request_id)
    ).scalar_one_or_none()


def add_manual(
    connection: Connection,
    task: Mapping[Any, Any],
    *,
    request_id: str,
    actor: str,
    at: datetime,
    refused: Reason | None,
    trigger: Trigger = Trigger.MANUAL,
    **also: Any,
) -> int:
    """Record a start by hand; the id of the row. The same request again gives the same row.

    `also` sets further columns. A test is not remembered as its task's last run.
    """
    known = by_request(connection, request_id)
    if known is not None:
        return known
    status = Status.QUEUED if refused is None else Status.SKIPPED
    run_id = connection.execute(
        insert(RUN)
        .values(
            task_id=task["id"], task_version=task["version"], trigger=trigger,
            status=status, reason=refused, queued_at=at,
            finished_at=None if refused is None else at, priority=task["priority"],
            pool=task["pool"], actor=actor, request_id=request_id, detail="", attempts=0,
            launches=0, folded_count=1, **also,
        )
        .returning(RUN.c.id)
    ).scalar_one()  # fmt: skip
    if trigger is not Trigger.TEST:
        _remember_last(connection, [(task["id"], run_id, status)])
    return int(run_id)


# --- claiming ------------------------------------------------------------------------------------

_OTHER = RUN.alias("other")
_BEFORE_IT = exists(
    select(_OTHER.c.id)
    .with_hint(_OTHER, BY_OPEN, DIALECT)
    .where(
        text("other." + OPEN),
        _OTHER.c.beside.is_(False),
        _OTHER.c.task_id == RUN.c.task_id,
        _OTHER.c.id != RUN.c.id,
        or_(_OTHER.c.status != "queued", _OTHER.c.id < RUN.c.id),
    )
)
_FREE_TO_GO = or_(
    RUN.c.beside, and_(TASK.c.overlap == "allow", RUN.c.trigger != "catch_up"), ~_BEFORE_IT
)
_QUEUE = (
    select(RUN, TASK)
    .with_hint(RUN, BY_QUEUE, DIALECT)
    .join(TASK, TASK.c.id == RUN.c.task_id)
    .where(text("run.status = 'queued'"), _FREE_TO_GO)
    .order_by(RUN.c.priority.desc(), RUN.c.id)
)
_BY_HAND = RUN.c.trigger.in_(["manual", "test"])
_BUSY = (
    select(RUN.c.pool, func.count().label("busy"))
    .where(RUN.c.status.in_(["starting", "running"]))
    .group_by(RUN.c.pool)
)


def busy(connection: Connection) -> dict[str | None, int]:
    """Slots taken now, by pool (None: runs without a pool)."""
    return {row.pool: row.busy for row in connection.execute(_BUSY)}


_WAITING = (
    select(RUN.c.pool, func.count().label("waiting"))
    .with_hint(RUN, BY_QUEUE, DIALECT)
    .where(text("run.status = 'queued'"))
    .group_by(RUN.c.pool)
)


def waiting(connection: Connection) -> dict[str | None, int]:
    """Runs that wait for a slot, by pool (None: runs without a pool). Served by `run_queue`."""
    return {row.pool: row.waiting for row in connection.execute(_WAITING)}


@lru_cache
def _queue(full_pools: bool, held: bool, scheduler_paused: bool) -> Select[Any]:
    """The queue without what must wait. Built once: that takes longer than to run it."""
    query = _QUEUE.limit(bindparam("most"))
    if full_pools:
        among: BindParameter[Any] = bindparam("full", expanding=True)
        query = query.where(or_(RUN.c.pool.is_(None), RUN.c.pool.not_in(among)))
    if held:
        query = query.where(RUN.c.id.not_in(bindparam("held", expanding=True)))
    return query.where(_BY_HAND if scheduler_paused else or_(_BY_HAND, TASK.c.paused_at.is_(None)))


def next_in_queue(
    connection: Connection,
    *,
    most: int,
    full_pools: Sequence[str],
    held: Sequence[int],
    scheduler_paused: bool,
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The runs that may start now, by priority, then oldest first, each with its task's row.

    Left out: runs that wait for another one of their task, those of a full pool, `held` ones (ids)
    that back off, and those of a paused task or scheduler unless started by hand.
    """
    query = _queue(bool(full_pools), bool(held), scheduler_paused)
    given: dict[str, Any] = {"most": most}
    if full_pools:
        given["full"] = list(full_pools)
    if held:
        given["held"] = list(held)
    found = []
    width = len(RUN.c)
    for row in connection.execute(query, given):
        found.append(
            (
                dict(zip(RUN.c.keys(), row[:width], strict=True)),
                dict(zip(TASK.c.keys(), row[width:], strict=True)),
            )
        )
    return found


_CLAIM = (
    update(RUN)
    .where(RUN.c.id == bindparam("run"), RUN.c.status == "queued")
    .values(
        status=Status.STARTING, launches=RUN.c.launches + 1, detail="", retry_at=None,
        environment=bindparam("variables", type_=RUN.c.environment.type),
    )
)  # fmt: skip
_LAUNCH = insert(ATTEMPT)


def claim(
    connection: Connection,
    runs: Sequence[Mapping[str, Any]],
    environments: Sequence[Mapping[str, str] | None],
    *,
    boot_id: str,
    at: datetime,
) -> None:
    """Mark these queued runs as starting, each with the row of its next launch.

    Args:
        environments: of each run, secrets masked; None where it is not known yet.
    """
    if not runs:
        return
    connection.execute(
        _CLAIM,
        [
            {"run": run["id"], "variables": variables}
            for run, variables in zip(runs, environments, strict=True)
        ],
    )
    connection.execute(
        _LAUNCH,
        [
            {
                "run_id": run["id"],
                "launch": run["launches"] + 1,
                "number": run["attempts"] + 1,
                "boot_id": boot_id,
                "requested_at": at,
            }
            for run in runs
        ],
    )


# --- what the runner reports ---------------------------------------------------------------------

_STATE = select(
    RUN.c.id, RUN.c.task_id, RUN.c.status, RUN.c.launches, RUN.c.attempts, RUN.c.started_at,
    RUN.c.cpu_ms, RUN.c.max_rss, RUN.c.trigger, RUN.c.beside, RUN.c.spec,
    TASK.c.name.label("task_name"), TASK.c.max_retries,
    TASK.c.retry_delay, TASK.c.retry_backoff, TASK.c.retry_max_delay, TASK.c.success_codes,
    TASK.c.on_lost,
).join(TASK, TASK.c.id == RUN.c.task_id).where(
    RUN.c.id.in_(bindparam("runs", expanding=True))
)  # fmt: skip


def states(connection: Connection, ids: Sequence[int]) -> dict[int, RowMapping]:
    """These runs, as far as they exist, each with what decides about its retries."""
    rows = connection.execute(_STATE, {"runs": list(ids)}).mappings()
    return {row["id"]: row for row in rows}


def state(connection: Connection, run_id: int) -> RowMapping | None:
    """A run with what decides about its retries; None when there is no such run."""
    return states(connection, [run_id]).get(run_id)


@dataclass(frozen=True, slots=True)
class Start:
    """The command of a launch was started."""

    run_id: int
    launch: int
    pid: int
    at: datetime


_INSTANT = RUN.c.started_at.type
_STARTED = (
    update(RUN)
    .where(RUN.c.id == bindparam("run"), RUN.c.launches == bindparam("at_launch"),
           RUN.c.status == "starting")
    .values(status=Status.RUNNING, attempts=RUN.c.attempts + 1,
            started_at=func.coalesce(RUN.c.started_at, bindparam("at", type_=_INSTANT)))
)  # fmt: skip
_THIS_LAUNCH = and_(
    ATTEMPT.c.run_id == bindparam("run"), ATTEMPT.c.launch == bindparam("at_launch")
)
_ATTEMPT_STARTED = (
    update(ATTEMPT)
    .where(_THIS_LAUNCH)
    .values(started_at=bindparam("at", type_=_INSTANT), pid=bindparam("process"))
)


def start(connection: Connection, starts: Sequence[Start]) -> None:
    """Mark runs that are starting as running, each with one attempt more."""
    if not starts:
        return
    keys = [{"run": one.run_id, "at_launch": one.launch, "at": one.at} for one in starts]
    connection.execute(_STARTED, keys)
    connection.execute(
        _ATTEMPT_STARTED,
        [{**key, "process": one.pid} for key, one in zip(keys, starts, strict=True)],
    )


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """How a launch ended; its start too, which an engine may have died before it wrote down."""

    run_id: int
    launch: int
    at: datetime | None
    exit_code: int | None
    signal: int | None
    outcome: str
    started_at: datetime | None = None
    pid: int | None = None


_ATTEMPT_ENDED = (
    update(ATTEMPT)
    .where(_THIS_LAUNCH)
    .values(
        started_at=func.coalesce(ATTEMPT.c.started_at, bindparam("began", type_=_INSTANT)),
        pid=func.coalesce(ATTEMPT.c.pid, bindparam("process")),
        finished_at=bindparam("at", type_=_INSTANT),
        exit_code=bindparam("code"), signal=bindparam("by"), outcome=bindparam("result"),
    )
)  # fmt: skip


def end_attempts(connection: Connection, ends: Sequence[AttemptEnd]) -> None:
    """Write down how these launches ended."""
    if ends:
        connection.execute(
            _ATTEMPT_ENDED,
            [
                {
                    "run": end.run_id, "at_launch": end.launch, "began": end.started_at,
                    "process": end.pid, "at": end.at, "code": end.exit_code, "by": end.signal,
                    "result": end.outcome,
                }
                for end in ends
            ],
        )  # fmt: skip


def move(connection: Connection, run_id: int, to: Status, **values: Any) -> bool:
    """Move a run to another state; False when it is not in a state from which that is legal."""
    legal = [str(status) for status, targets in MOVES.items() if to in targets]
    moved = connection.execute(
        update(RUN).where(RUN.c.id == run_id, RUN.c.status.in_(legal)).values(status=to, **values)
    ).rowcount
    return bool(moved)


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of a run whose command has ended. `was` is its state in this transaction."""

    run_id: int
    task_id: int
    was: Status
    status: Status
    reason: Reason | None
    detail: str
    exit_code: int | None
    signal: int | None
    attempts: int
    started_at: datetime | None
    finished_at: datetime | None
    cpu_ms: int | None
    max_rss: int | None
    log_size: int | None
    counts: bool = True  # for the figures of its task


_FINISH = (
    update(RUN)
    .where(RUN.c.id == bindparam("run"), RUN.c.status == bindparam("was"))
    .values(
        {column: bindparam(f"new_{column.name}", type_=column.type) for column in (
            RUN.c.status, RUN.c.reason, RUN.c.detail, RUN.c.exit_code, RUN.c.signal,
            RUN.c.attempts, RUN.c.started_at, RUN.c.finished_at, RUN.c.cpu_ms, RUN.c.max_rss,
            RUN.c.log_size,
        )} | {RUN.c.retry_at: None}
    )
)  # fmt: skip


def finish(connection: Connection, ends: Sequence[Finish]) -> None:
    """Make these runs final and count them; from each `was` that must be a legal move."""
    if not ends:
        return
    connection.execute(
        _FINISH,
        [
            {
                "run": end.run_id, "was": end.was, "new_status": end.status,
                "new_reason": end.reason, "new_detail": end.detail,
                "new_exit_code": end.exit_code, "new_signal": end.signal,
                "new_attempts": end.attempts, "new_started_at": end.started_at,
                "new_finished_at": end.finished_at, "new_cpu_ms": end.cpu_ms,
                "new_max_rss": end.max_rss, "new_log_size": end.log_size,
            }
            for end in ends
        ],
    )  # fmt: skip
    results = [
        Result(end.task_id, end.status, duration(end.started_at, end.finished_at))
        for end in ends
        if end.counts
    ]
    count_results(connection, results)


def duration(started_at: datetime | None, finished_at: datetime | None) -> timedelta | None:
    """How long a run took; None when that is not known, never below zero."""
    if started_at is None or finished_at is None:
        return None
    return max(timedelta(), finished_at - started_at)


@dataclass(frozen=True, slots=True)
class Result:
    """A verdict for the figures of a task."""

    task_id: int
    status: Status
    duration: timedelta | None = None


_VERDICTS = select(TASK.c.id, TASK.c.last_verdicts).where(
    TASK.c.id.in_(bindparam("tasks", expanding=True))
)
_COUNT = (
    update(TASK)
    .where(TASK.c.id == bindparam("task"))
    .values(
        runs=TASK.c.runs + bindparam("counted"),
        successes=TASK.c.successes + bindparam("succeeded"),
        duration_ms=TASK.c.duration_ms + bindparam("took_ms"),
        last_verdicts=bindparam("verdicts", type_=TASK.c.last_verdicts.type),
    )
)


def count_results(connection: Connection, results: Sequence[Result]) -> None:
    """Add final runs to the figures of their tasks, in this order."""
    if not results:
        return
    ids = {result.task_id for result in results}
    verdicts = {
        row.id: row.last_verdicts for row in connection.execute(_VERDICTS, {"tasks": list(ids)})
    }
    counts = []
    for result in results:
        seen = verdicts[result.task_id] = [*verdicts[result.task_id], str(result.status)][-20:]
        succeeded = result.status is Status.SUCCESS
        took = result.duration if succeeded and result.duration else timedelta()
        counts.append(
            {
                "task": result.task_id, "counted": int(result.status in COUNTED),
                "succeeded": int(succeeded), "took_ms": round(took.total_seconds() * 1000),
                "verdicts": seen,
            }
        )  # fmt: skip
    connection.execute(_COUNT, counts)


# --- recovery and time ---------------------------------------------------------------------------


def in_flight(connection: Connection) -> list[RowMapping]:
    """Runs that may have a living command: starting or running, with the boot of their launch."""
    return list(
        connection.execute(
            select(RUN.c.id, RUN.c.task_id, RUN.c.launches, RUN.c.status, ATTEMPT.c.boot_id)
            .join(ATTEMPT, and_(ATTEMPT.c.run_id == RUN.c.id, ATTEMPT.c.launch == RUN.c.launches))
            .where(RUN.c.status.in_(["starting", "running"]))
            .order_by(RUN.c.id)
        ).mappings()
    )


def open_ids(connection: Connection) -> set[int]:
    """Every run that is not over."""
    return set(
        connection.execute(
            select(RUN.c.id).with_hint(RUN, BY_OPEN, DIALECT).where(text(OPEN))
        ).scalars()
    )


def all_open(connection: Connection) -> list[RowMapping]:
    """Every run that is not over, oldest first."""
    return list(
        connection.execute(
            select(RUN.c.id, RUN.c.task_id, RUN.c.status, RUN.c.launches)
            .with_hint(RUN, BY_OPEN, DIALECT)
            .where(text(OPEN))
            .order_by(RUN.c.id)
        ).mappings()
    )


def lose(connection: Connection, ids: Sequence[int], *, reason: Reason, detail: str) -> None:
    """Make open runs final, from whatever state: nobody can know what became of them, nor when."""
    connection.execute(
        update(RUN)
        .where(RUN.c.id.in_(ids), text(OPEN))
        .values(status=Status.LOST, reason=reason, detail=detail, retry_at=None)
    )


def due_retries(connection: Connection, now: datetime) -> list[int]:
    """Put retries whose time has come back into the queue; their ids."""
    return list(
        connection.execute(
            update(RUN)
            .where(RUN.c.status == "retrying", RUN.c.retry_at <= now)
            .values(status=Status.QUEUED)
            .returning(RUN.c.id)
        ).scalars()
    )


def next_retry(connection: Connection) -> datetime | None:
    """When the next retry is due."""
    return connection.execute(
        select(func.min(RUN.c.retry_at)).where(RUN.c.status == "retrying")
    ).scalar_one_or_none()


_MICROSECONDS_OF_DEADLINE = cast(TASK.c.deadline, Integer) * 1000  # stored as milliseconds


def overdue(connection: Connection, now: datetime) -> list[int]:
    """Queued runs that have waited beyond their task's deadline and were never started; ids."""
    slot = func.coalesce(RUN.c.scheduled_for, RUN.c.queued_at, type_=Integer)
    limit = cast(func.coalesce(slot, 0), Integer) + _MICROSECONDS_OF_DEADLINE
    spread = cast(TASK.c.spread, Integer) * 1000
    moment = bindparam("now", now, type_=RUN.c.queued_at.type)
    return list(
        connection.execute(
            select(RUN.c.id)
            .with_hint(RUN, BY_QUEUE, DIALECT)
            .join(TASK, TASK.c.id == RUN.c.task_id)
            .where(
                text("run.status = 'queued'"),
                RUN.c.beside.is_(False),
                TASK.c.deadline.is_not(None),
                RUN.c.attempts == 0,
                limit + spread < cast(moment, Integer),
            )
        ).scalars()
    )


# --- reading for people --------------------------------------------------------------------------

_PID = (
    select(ATTEMPT.c.pid)
    .where(ATTEMPT.c.run_id == RUN.c.id, ATTEMPT.c.launch == RUN.c.launches)
    .scalar_subquery()
    .label("pid")
)
_BEHIND = and_(RUN.c.status == "queued", ~_FREE_TO_GO).label("behind")  # another run of its task
_RETRIES = case(  # see engine.testing
    (RUN.c.beside, 0),
    else_=func.coalesce(RUN.c.spec["max_retries"].as_integer(), TASK.c.max_retries),
).label("max_retries")
_VIEW = select(
    *(column for column in RUN.c if column.name not in WIDE),
    TASK.c.name.label("task_name"), TASK.c.successes, TASK.c.duration_ms, TASK.c.paused_at, _PID,
    _BEHIND,
    _RETRIES,
).join(TASK, TASK.c.id == RUN.c.task_id)  # fmt: skip


def views(connection: Connection, ids: Sequence[int]) -> list[RowMapping]:
    """The rows of these runs, in the order of their ids."""
    return list(connection.execute(_VIEW.where(RUN.c.id.in_(ids)).order_by(RUN.c.id)).mappings())


def counts(connection: Connection) -> dict[Status, int]:
    """How many runs are queued, starting, running, retrying."""
    rows = connection.execute(
        select(RUN.c.status, func.count().label("n")).where(text(OPEN)).group_by(RUN.c.status)
    )
    return {row.status: row.n for row in rows}


def logged(connection: Connection, limit: int) -> list[RowMapping]:
    """The newest runs that have a log."""
    return list(
        connection.execute(
            _VIEW.where(RUN.c.attempts > 0).order_by(RUN.c.id.desc()).limit(limit)
        ).mappings()
    )


def newest_with_log(connection: Connection, task_id: int) -> int | None:
    """The task's newest run whose command was started."""
    return connection.execute(
        select(func.max(RUN.c.id)).where(RUN.c.task_id == task_id, RUN.c.attempts > 0)
    ).scalar_one_or_none()


def tasks_with_queue(connection: Connection, overlap: Overlap) -> list[int]:
    """Tasks of that policy that have a run in the queue."""
    return list(
        connection.execute(
            select(RUN.c.task_id)
            .distinct()
            .with_hint(RUN, BY_QUEUE, DIALECT)
            .join(TASK, TASK.c.id == RUN.c.task_id)
            .where(
                text("run.status = 'queued'"), RUN.c.beside.is_(False), TASK.c.overlap == overlap
            )
        ).scalars()
    )
