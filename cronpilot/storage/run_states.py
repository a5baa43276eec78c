"""From state to state: what became of a run that was claimed. Final states are never left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    RowMapping,
    and_,
    bindparam,
    case,
    func,
    literal,
    select,
    text,
    update,
)

from cronpilot.domain.run import MOVES, Reason, Status
from cronpilot.domain.task import OnLost
from cronpilot.storage.database import BY_OPEN, DIALECT, among, as_list
from cronpilot.storage.figures import Result, count_results, duration
from cronpilot.storage.prepared import Prepared
from cronpilot.storage.tables import OPEN, Attempt, Run, Task

_RUN = Run.__table__  # type: ignore[attr-defined]
_TASK = Task.__table__  # type: ignore[attr-defined]
_ATTEMPT = Attempt.__table__  # type: ignore[attr-defined]

# --- what the runner reports ---------------------------------------------------------------------

# Of a task that was taken away nothing is started again.
_IS_LIVE = _TASK.c.archived_at.is_(None)
_MAX_RETRIES = case((_IS_LIVE, _TASK.c.max_retries), else_=0).label("max_retries")
_ON_LOST = case(
    (_IS_LIVE, _TASK.c.on_lost), else_=literal(OnLost.MARK, _TASK.c.on_lost.type)
).label("on_lost")
_STATE = Prepared(
    select(
        _RUN.c.id, _RUN.c.task_id, _RUN.c.status, _RUN.c.launches, _RUN.c.attempts,
        _RUN.c.started_at, _RUN.c.cpu_ms, _RUN.c.max_rss, _RUN.c.trigger, _RUN.c.beside,
        _RUN.c.spec, _TASK.c.name.label("task_name"), _TASK.c.archived_at, _MAX_RETRIES,
        _TASK.c.retry_delay, _TASK.c.retry_backoff, _TASK.c.retry_max_delay,
        _TASK.c.success_codes, _ON_LOST,
    )
    .join(_TASK, _TASK.c.id == _RUN.c.task_id)
    .where(among(_RUN.c.id, "runs"))
)  # fmt: skip


def states(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """These runs, as far as they exist, each with what decides about its retries."""
    return {row["id"]: row for row in _STATE.rows(connection, runs=as_list(ids))}


def state(connection: Connection, run_id: int) -> dict[str, Any] | None:
    """A run with what decides about its retries; None when there is no such run."""
    return states(connection, [run_id]).get(run_id)


@dataclass(frozen=True, slots=True)
class Start:
    """The command of a launch was started."""

    run_id: int
    launch: int
    pid: int
    at: datetime


_INSTANT = _RUN.c.started_at.type
_STARTED = Prepared(
    update(_RUN)
    .where(_RUN.c.id == bindparam("run"), _RUN.c.launches == bindparam("at_launch"),
           _RUN.c.status == "starting")
    .values(status="running", attempts=_RUN.c.attempts + 1,
            started_at=func.coalesce(_RUN.c.started_at, bindparam("at", type_=_INSTANT)))
)  # fmt: skip
_THIS_LAUNCH = and_(
    _ATTEMPT.c.run_id == bindparam("run"), _ATTEMPT.c.launch == bindparam("at_launch")
)
_ATTEMPT_STARTED = Prepared(
    update(_ATTEMPT)
    .where(_THIS_LAUNCH)
    .values(started_at=bindparam("at", type_=_INSTANT), pid=bindparam("process"))
)


def start(connection: Connection, starts: Sequence[Start]) -> None:
    """Mark runs that are starting as running, each with one attempt more."""
    given = [
        {"run": one.run_id, "at_launch": one.launch, "at": one.at, "process": one.pid}
        for one in starts
    ]
    _STARTED.run_all(connection, given)
    _ATTEMPT_STARTED.run_all(connection, given)


class AttemptEnd(NamedTuple):
    """How a launch ended; its start too, which an engine may have died before it wrote down."""

    run_id: int
    launch: int
    at: datetime | None
    exit_code: int | None
    signal: int | None
    outcome: str
    started_at: datetime | None = None
    pid: int | None = None


_ATTEMPT_ENDED = Prepared(
    update(_ATTEMPT)
    .where(_THIS_LAUNCH)
    .values(
        started_at=func.coalesce(_ATTEMPT.c.started_at, bindparam("began", type_=_INSTANT)),
        pid=func.coalesce(_ATTEMPT.c.pid, bindparam("process")),
        finished_at=bindparam("at", type_=_INSTANT),
        exit_code=bindparam("code"), signal=bindparam("by"), outcome=bindparam("result"),
    )
)  # fmt: skip


def end_attempts(connection: Connection, ends: Sequence[AttemptEnd]) -> None:
    """Write down how these launches ended."""
    _ATTEMPT_ENDED.run_all(
        connection,
        (
            {
                "run": end.run_id, "at_launch": end.launch, "began": end.started_at,
                "process": end.pid, "at": end.at, "code": end.exit_code, "by": end.signal,
                "result": end.outcome,
            }
            for end in ends
        ),
    )  # fmt: skip


def move(connection: Connection, run_id: int, to: Status, **values: Any) -> bool:
    """Move a run to another state; False when it is not in a state from which that is legal."""
    legal = [str(status) for status, targets in MOVES.items() if to in targets]
    moved = connection.execute(
        update(_RUN)
        .where(_RUN.c.id == run_id, _RUN.c.status.in_(legal))
        .values(status=to, **values)
    ).rowcount
    return bool(moved)


class Finish(NamedTuple):
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


_FINISH = Prepared(
    update(_RUN)
    .where(_RUN.c.id == bindparam("run"), _RUN.c.status == bindparam("was"))
    .values(retry_at=None),
    (
        "status", "reason", "detail", "exit_code", "signal", "attempts", "started_at",
        "finished_at", "cpu_ms", "max_rss", "log_size",
    ),
)  # fmt: skip


def finish(connection: Connection, ends: Sequence[Finish]) -> None:
    """Make these runs final and count them; from each `was` that must be a legal move."""
    _FINISH.run_all(
        connection,
        (
            {
                "run": end.run_id, "was": end.was, "status": end.status, "reason": end.reason,
                "detail": end.detail, "exit_code": end.exit_code, "signal": end.signal,
                "attempts": end.attempts, "started_at": end.started_at,
                "finished_at": end.finished_at, "cpu_ms": end.cpu_ms, "max_rss": end.max_rss,
                "log_size": end.log_size,
            }
            for end in ends
        ),
    )  # fmt: skip
    results = [
        Result(end.task_id, end.status, duration(end.started_at, end.finished_at))
        for end in ends
        if end.counts
    ]
    count_results(connection, results)


# --- after a crash -------------------------------------------------------------------------------


def in_flight(connection: Connection) -> list[RowMapping]:
    """Runs that may have a living command: starting or running, with the boot of their launch."""
    return list(
        connection.execute(
            select(_RUN.c.id, _RUN.c.task_id, _RUN.c.launches, _RUN.c.status, _ATTEMPT.c.boot_id)
            .join(
                _ATTEMPT,
                and_(_ATTEMPT.c.run_id == _RUN.c.id, _ATTEMPT.c.launch == _RUN.c.launches),
            )
            .where(_RUN.c.status.in_(["starting", "running"]))
            .order_by(_RUN.c.id)
        ).mappings()
    )


def open_ids(connection: Connection) -> set[int]:
    """Every run that is not over."""
    return set(
        connection.execute(
            select(_RUN.c.id).with_hint(_RUN, BY_OPEN, DIALECT).where(text(OPEN))
        ).scalars()
    )


def all_open(connection: Connection) -> list[RowMapping]:
    """Every run that is not over, oldest first."""
    return list(
        connection.execute(
            select(_RUN.c.id, _RUN.c.task_id, _RUN.c.status, _RUN.c.launches)
            .with_hint(_RUN, BY_OPEN, DIALECT)
            .where(text(OPEN))
            .order_by(_RUN.c.id)
        ).mappings()
    )


def lose(connection: Connection, ids: Sequence[int], *, reason: Reason, detail: str) -> None:
    """Make open runs final, from whatever state: nobody can know what became of them, nor when."""
    connection.execute(
        update(_RUN)
        .where(_RUN.c.id.in_(ids), text(OPEN))
        .values(status=Status.LOST, reason=reason, detail=detail, retry_at=None)
    )
