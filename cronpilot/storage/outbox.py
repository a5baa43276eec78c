"""The outbox: what is to be told, to whom, and what became of it.

A message is a *batch* of rows: those with the same target and the same kind of news that were
waiting when it was first tried. It keeps its name over retries and restarts. A row is `sending`
from the commit before a try until the commit after it; what a crash leaves so is sent again under
the same name, because nobody can know whether it arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    RowMapping,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)

from cronpilot.storage.tables import Delivery, Outbox

OUTBOX = Outbox.__table__  # type: ignore[attr-defined]

MOST_WAITING = 5_000
"""Rows that wait; beyond them what comes is counted and not kept."""
MOST_TOGETHER = 200
"""Rows in one message."""

_PENDING = text("status IN ('waiting', 'sending')")  # to the letter that of the index


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing to tell one target."""

    target: str
    alike: str
    due_at: datetime
    task_id: int | None = None
    incident_id: int | None = None
    run_id: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def add(connection: Connection, letters: Sequence[Letter], now: datetime) -> int:
    """Keep them; how many there was no room for. Whatever is alike goes when the first is due."""
    room = MOST_WAITING - _count_pending(connection)
    kept = letters[: max(0, room)]
    soonest = _soonest(connection, {(letter.target, letter.alike) for letter in kept})
    rows = []
    for letter in kept:
        key = (letter.target, letter.alike)
        due = soonest[key] = min(letter.due_at, soonest.get(key, letter.due_at))
        rows.append(
            {
                "created_at": now, "due_at": due, "target": letter.target, "alike": letter.alike,
                "task_id": letter.task_id, "incident_id": letter.incident_id,
                "run_id": letter.run_id, "facts": letter.facts, "status": Delivery.WAITING,
                "tries": 0, "error": "",
            }
        )  # fmt: skip
    if rows:
        connection.execute(insert(OUTBOX), rows)
    return len(letters) - len(kept)


def _count_pending(connection: Connection) -> int:
    return connection.execute(
        select(func.count()).select_from(OUTBOX).where(_PENDING)
    ).scalar_one()  # fmt: skip


def _soonest(connection: Connection, keys: set[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    """When those of these kinds are due that were not tried yet."""
    if not keys:
        return {}
    rows = connection.execute(
        select(OUTBOX.c.target, OUTBOX.c.alike, func.min(OUTBOX.c.due_at).label("due"))
        .where(_PENDING, OUTBOX.c.batch.is_(None), OUTBOX.c.target.in_({key[0] for key in keys}))
        .group_by(OUTBOX.c.target, OUTBOX.c.alike)
    )
    return {(row.target, row.alike): row.due for row in rows if row.due is not None}


# --- sending -------------------------------------------------------------------------------------


class Batch(NamedTuple):
    """A message that is being sent: its name, and what goes into it, oldest first."""

    name: str
    target: str
    tries: int
    rows: list[RowMapping]


def next_due(connection: Connection, way: str, now: datetime) -> datetime | None:
    """When there is something of that way to claim: `mail:`, `channel:`, `ping`.

    What waits behind a message that is tried again later is not due before that one.
    """
    waiting = and_(_PENDING, OUTBOX.c.status == "waiting", OUTBOX.c.target.startswith(way))
    later = and_(OUTBOX.c.batch.is_not(None), OUTBOX.c.due_at > now)
    return connection.execute(
        select(func.min(OUTBOX.c.due_at)).where(
            waiting, or_(later, OUTBOX.c.target.not_in(_busy(connection, now)))
        )
    ).scalar_one_or_none()


def claim(
    connection: Connection, way: str, now: datetime, most: int, new_name: Callable[[], str]
) -> list[Batch]:
    """What is due of that way, marked as being sent. Send only what is committed."""
    batches = []
    for target, alike, name in _due(connection, way, now, most):
        chosen = and_(
            _PENDING, OUTBOX.c.status == "waiting", OUTBOX.c.target == target,
            OUTBOX.c.alike == alike,
            OUTBOX.c.batch.is_(None) if name is None else OUTBOX.c.batch == name,
        )  # fmt: skip
        ids = list(
            connection.execute(
                select(OUTBOX.c.id).where(chosen).order_by(OUTBOX.c.id).limit(MOST_TOGETHER)
            ).scalars()
        )
        if not ids:
            continue
        batch = name or new_name()
        connection.execute(
            update(OUTBOX)
            .where(OUTBOX.c.id.in_(ids))
            .values(status=Delivery.SENDING, batch=batch, tries=OUTBOX.c.tries + 1)
        )
        rows = connection.execute(
            select(OUTBOX).where(OUTBOX.c.id.in_(ids)).order_by(OUTBOX.c.id)
        ).mappings()
        found = list(rows)
        batches.append(Batch(batch, target, max(row["tries"] for row in found), found))
    return batches


def _due(
    connection: Connection, way: str, now: datetime, most: int
) -> list[tuple[str, str, str | None]]:
    rows = connection.execute(
        select(OUTBOX.c.target, OUTBOX.c.alike, OUTBOX.c.batch)
        .where(
            _PENDING,
            OUTBOX.c.status == "waiting",
            OUTBOX.c.due_at <= now,
            OUTBOX.c.target.startswith(way),
            OUTBOX.c.target.not_in(_busy(connection, now)),
        )
        .order_by(OUTBOX.c.id)
        .limit(MOST_TOGETHER * most)
    )
    return list(dict.fromkeys((row.target, row.alike, row.batch) for row in rows))[:most]


def _busy(connection: Connection, now: datetime) -> list[str]:
    """Targets that are being told something, or are tried again later. They hear everything else
    later, too: a recovery never comes before its failure."""
    later = or_(OUTBOX.c.status == "sending", OUTBOX.c.due_at > now)
    query = select(OUTBOX.c.target).distinct().where(_PENDING, OUTBOX.c.batch.is_not(None), later)
    return list(connection.execute(query).scalars())


def settle(
    connection: Connection, name: str, status: Delivery, *, at: datetime, error: str = "",
    due_at: datetime | None = None,
) -> None:  # fmt: skip
    """What became of a try."""
    values: dict[str, Any] = {"status": status, "error": error}
    if due_at is not None:
        values["due_at"] = due_at
    if status is Delivery.SENT:
        values["sent_at"] = at
    connection.execute(
        update(OUTBOX)
        .where(_PENDING, OUTBOX.c.batch == name, OUTBOX.c.status == "sending")
        .values(**values)
    )


def put_back(connection: Connection, names: Sequence[str]) -> None:
    """These were not tried after all."""
    connection.execute(
        update(OUTBOX)
        .where(_PENDING, OUTBOX.c.batch.in_(names), OUTBOX.c.status == "sending")
        .values(status=Delivery.WAITING, tries=OUTBOX.c.tries - 1)
    )


def take_up(connection: Connection, now: datetime) -> int:
    """At a start: what the last engine may or may not have sent is due again; how many rows."""
    return connection.execute(
        update(OUTBOX)
        .where(_PENDING, OUTBOX.c.status == "sending")
        .values(status=Delivery.WAITING, due_at=now)
    ).rowcount


# --- for people ----------------------------------------------------------------------------------


class State(NamedTuple):
    """How sending goes."""

    waiting: int
    oldest_at: datetime | None
    gave_up: int
    error: str  # of the newest try that failed and is not forgotten
    error_at: datetime | None
    error_target: str
    sent_at: datetime | None


def state(connection: Connection, since: datetime) -> State:
    """Counts since then; what waits is counted whole."""
    waiting = connection.execute(
        select(func.count().label("n"), func.min(OUTBOX.c.created_at).label("oldest")).where(
            _PENDING, ~OUTBOX.c.target.startswith("ping")
        )
    ).one()
    failed = connection.execute(
        select(OUTBOX.c.error, OUTBOX.c.created_at, OUTBOX.c.target)
        .where(OUTBOX.c.status.in_(["waiting", "sending", "gave_up"]), OUTBOX.c.error != "",
               OUTBOX.c.created_at >= since)
        .order_by(OUTBOX.c.id.desc())
        .limit(1)
    ).first()  # fmt: skip
    gave_up = connection.execute(
        select(func.count()).select_from(OUTBOX).where(
            OUTBOX.c.status == "gave_up", OUTBOX.c.created_at >= since
        )
    ).scalar_one()  # fmt: skip
    sent = connection.execute(
        select(OUTBOX.c.sent_at).where(OUTBOX.c.status == "sent").order_by(OUTBOX.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()  # fmt: skip
    return State(
        waiting.n, waiting.oldest, gave_up, failed.error if failed else "",
        failed.created_at if failed else None, failed.target if failed else "", sent,
    )  # fmt: skip


def forget(connection: Connection, before: datetime, most: int = 1000) -> int:
    """Forget what was sent or given up before then; how many rows."""
    old = (
        select(OUTBOX.c.id)
        .where(OUTBOX.c.status.in_(["sent", "gave_up"]), OUTBOX.c.created_at < before)
        .limit(most)
    )
    return connection.execute(delete(OUTBOX).where(OUTBOX.c.id.in_(old))).rowcount
