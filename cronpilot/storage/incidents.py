"""Incidents: what is unjudged yet, what stands, and the timeline of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, select, text, update

from cronpilot.domain.incident import Fault, Standing
from cronpilot.storage.tables import Incident, IncidentEvent, News, Run, Task

INCIDENT = Incident.__table__  # type: ignore[attr-defined]
EVENT = IncidentEvent.__table__  # type: ignore[attr-defined]
NEWS = News.__table__  # type: ignore[attr-defined]
RUN = Run.__table__  # type: ignore[attr-defined]
TASK = Task.__table__  # type: ignore[attr-defined]

MOST_EVENTS = 200  # of one timeline

_STANDING = text("incident.closed_at IS NULL")  # to the letter that of the index

# --- what nobody has judged yet ------------------------------------------------------------------

_RUN_FACTS = (
    RUN.c.id.label("run_id"), RUN.c.task_id, RUN.c.status, RUN.c.reason, RUN.c.trigger,
    RUN.c.scheduled_for, RUN.c.queued_at, RUN.c.started_at, RUN.c.finished_at, RUN.c.exit_code,
    RUN.c.signal, RUN.c.detail, RUN.c.folded_count, RUN.c.attempts,
)  # fmt: skip
_TASK_FACTS = (
    TASK.c.name, TASK.c.notify, TASK.c.alarms, TASK.c.archived_at, TASK.c.spread,
    TASK.c.successes, TASK.c.duration_ms,
)  # fmt: skip
_ANY_NEWS = select(NEWS.c.id).limit(1)
_UNJUDGED = (
    select(NEWS.c.id.label("news_id"), NEWS.c.what, *_RUN_FACTS, *_TASK_FACTS)
    .join(RUN, RUN.c.id == NEWS.c.run_id)
    .join(TASK, TASK.c.id == RUN.c.task_id)
    .order_by(NEWS.c.id)
    .limit(bindparam("most"))
)
_FORGET_NEWS = delete(NEWS).where(NEWS.c.id.in_(bindparam("ids", expanding=True)))
_NO_RUN = delete(NEWS).where(~select(RUN.c.id).where(RUN.c.id == NEWS.c.run_id).exists())


def has_news(connection: Connection) -> bool:
    """Whether a run has ended that nobody has judged."""
    return connection.execute(_ANY_NEWS).first() is not None


def unjudged(connection: Connection, most: int) -> list[RowMapping]:
    """Ends (and starts) of runs in the order in which they were committed, with their task."""
    return list(connection.execute(_UNJUDGED, {"most": most}).mappings())


def forget_news(connection: Connection, ids: Sequence[int]) -> None:
    """They are judged. Without ids: those whose run retention has taken."""
    if ids:
        connection.execute(_FORGET_NEWS, {"ids": list(ids)})
    else:
        connection.execute(_NO_RUN)


# --- what stands ---------------------------------------------------------------------------------


class Kept(NamedTuple):
    """A fault as its row has it."""

    id: int
    task_id: int
    fault: Fault
    standing: Standing
    run_id: int | None
    detail: str


_STANDING_OF = select(INCIDENT).where(
    _STANDING, INCIDENT.c.task_id.in_(bindparam("tasks", expanding=True))
)


def standing(connection: Connection, task_ids: Iterable[int]) -> dict[tuple[int, Fault], Kept]:
    """What is wrong with these tasks now, also what is not yet an incident."""
    rows = connection.execute(_STANDING_OF, {"tasks": list(task_ids)}).mappings()
    return {(row["task_id"], row["fault"]): kept_of(row) for row in rows}


def kept_of(row: Mapping[Any, Any]) -> Kept:
    """A row of this table."""
    return Kept(
        row["id"], row["task_id"], row["fault"],
        Standing(
            row["since"], row["count"], row["last_at"], row["opened_at"], row["told_at"],
            row["acknowledged_at"] is not None, row["snoozed_until"],
        ),
        row["run_id"], row["detail"],
    )  # fmt: skip


def open_with_tasks(connection: Connection) -> list[RowMapping]:
    """Every open incident with what decides about its daily line. Few, so no limit is needed."""
    return list(
        connection.execute(
            select(INCIDENT, *(column.label(f"task_{column.name}") for column in _TASK_FACTS))
            .join(TASK, TASK.c.id == INCIDENT.c.task_id)
            .where(_STANDING)
            .order_by(INCIDENT.c.id)
        ).mappings()
    )


def count_open(connection: Connection) -> int:
    """How many incidents are open."""
    counted = select(func.count()).where(_STANDING, INCIDENT.c.opened_at.is_not(None))
    return connection.execute(counted.select_from(INCIDENT)).scalar_one()


# Built once: that takes longer than to run them.
_ADD = insert(INCIDENT).returning(INCIDENT.c.id)
_KEEP = update(INCIDENT).where(INCIDENT.c.id == bindparam("incident"))
_NOTE = insert(EVENT)


def add(
    connection: Connection,
    task_id: int,
    fault: Fault,
    standing: Standing,
    *,
    run_id: int | None,
    detail: str,
) -> int:
    """A fault that was not there before; the id of its row."""
    values = {
        "task_id": task_id, "fault": fault, "run_id": run_id, "first_run_id": run_id,
        "detail": detail, "acknowledged_by": "", **_columns(standing),
    }  # fmt: skip
    return int(connection.execute(_ADD, values).scalar_one())


def keep(connection: Connection, kept: Sequence[Kept]) -> None:
    """What is known of these by now."""
    if kept:
        connection.execute(
            _KEEP,
            [
                {"incident": one.id, "run_id": one.run_id, "detail": one.detail,
                 **_columns(one.standing)}
                for one in kept
            ],
        )  # fmt: skip


def _columns(standing: Standing) -> dict[str, Any]:
    return {
        "since": standing.since, "count": standing.count, "last_at": standing.last_at,
        "opened_at": standing.opened_at, "told_at": standing.told_at,
        "snoozed_until": standing.snoozed_until,
    }  # fmt: skip


def close(connection: Connection, incident_id: int, at: datetime) -> None:
    """It is over."""
    connection.execute(
        update(INCIDENT)
        .where(INCIDENT.c.id == incident_id, INCIDENT.c.closed_at.is_(None))
        .values(closed_at=at, snoozed_until=None)
    )


def drop(connection: Connection, incident_id: int) -> None:
    """It never became an incident."""
    connection.execute(delete(INCIDENT).where(INCIDENT.c.id == incident_id))


class Note(NamedTuple):
    """One line of a timeline."""

    incident_id: int
    kind: str
    at: datetime
    actor: str = ""
    run_id: int | None = None
    detail: str = ""


def note(connection: Connection, *notes: Note) -> None:
    """Lines of timelines."""
    if notes:
        connection.execute(_NOTE, [one._asdict() for one in notes])


# --- for people ----------------------------------------------------------------------------------

_VIEW = select(INCIDENT, TASK.c.name.label("task_name"), TASK.c.archived_at).join(
    TASK, TASK.c.id == INCIDENT.c.task_id
)


def page(
    connection: Connection, *, state: str, task_id: int | None, most: int, before: int | None
) -> list[RowMapping]:
    """Incidents, newest first. `state`: `open`, `closed` or `all`."""
    query = _VIEW.where(INCIDENT.c.opened_at.is_not(None))
    if state == "open":
        query = query.where(_STANDING)
    elif state == "closed":
        query = query.where(INCIDENT.c.closed_at.is_not(None))
    if task_id is not None:
        query = query.where(INCIDENT.c.task_id == task_id)
    if before is not None:
        query = query.where(INCIDENT.c.id < before)
    return list(connection.execute(query.order_by(INCIDENT.c.id.desc()).limit(most)).mappings())


def one(connection: Connection, incident_id: int) -> RowMapping | None:
    """An incident, open or closed."""
    query = _VIEW.where(INCIDENT.c.id == incident_id, INCIDENT.c.opened_at.is_not(None))
    return connection.execute(query).mappings().first()


def timeline(connection: Connection, incident_id: int) -> list[RowMapping]:
    """What happened to it, oldest first; of a very long one the newest lines."""
    newest = (
        select(EVENT)
        .where(EVENT.c.incident_id == incident_id)
        .order_by(EVENT.c.id.desc())
        .limit(MOST_EVENTS)
    )
    return list(connection.execute(newest).mappings())[::-1]


def acknowledge(connection: Connection, incident_id: int, *, at: datetime, by: str) -> None:
    """Somebody looks after it."""
    connection.execute(
        update(INCIDENT)
        .where(INCIDENT.c.id == incident_id)
        .values(acknowledged_at=at, acknowledged_by=by)
    )


def snooze(connection: Connection, incident_id: int, until: datetime | None) -> None:
    """Be silent about it until then; None: not any more."""
    connection.execute(
        update(INCIDENT).where(INCIDENT.c.id == incident_id).values(snoozed_until=until)
    )


def forget_closed(connection: Connection, before: datetime, most: int = 200) -> int:
    """Forget incidents that were over before then; how many."""
    old = list(
        connection.execute(
            select(INCIDENT.c.id).where(INCIDENT.c.closed_at < before).limit(most)
        ).scalars()
    )
    if old:
        connection.execute(delete(EVENT).where(EVENT.c.incident_id.in_(old)))
        connection.execute(delete(INCIDENT).where(INCIDENT.c.id.in_(old)))
    return len(old)
