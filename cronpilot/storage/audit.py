"""The audit, as it is read: who did what, newest first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Connection, RowMapping, func, select

from cronpilot.client.users import AuditQuery
from cronpilot.domain.run import Reason
from cronpilot.storage.meta import AUDIT
from cronpilot.storage.runs import RUN

_SET_BACK = timedelta(days=1)  # a clock may have been, between the record of a run and its stop


def page(connection: Connection, query: AuditQuery) -> list[RowMapping]:
    """A page of entries, newest first. In the order of the ids, which is that of time."""
    found = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(query.limit)
    if query.before is not None:
        found = found.where(AUDIT.c.id < query.before)
    if query.actor is not None:
        found = found.where(AUDIT.c.actor == query.actor)
    if query.action is not None:
        found = found.where(AUDIT.c.action == query.action)
    if query.since is not None:
        found = found.where(AUDIT.c.at >= query.since)
    if query.until is not None:
        found = found.where(AUDIT.c.at < query.until)
    return list(connection.execute(found).mappings())


def asked_to_stop(connection: Connection, run_ids: Collection[int]) -> set[int]:
    """Those of these runs that somebody has told to stop."""
    recorded = connection.execute(
        select(func.min(RUN.c.queued_at)).where(RUN.c.id.in_(run_ids))
    ).scalar_one()
    if recorded is None:
        return set()
    asked = select(AUDIT.c.run_id).where(
        AUDIT.c.at >= recorded - _SET_BACK,
        AUDIT.c.action == "stop",
        AUDIT.c.detail == Reason.USER,
        AUDIT.c.run_id.in_(run_ids),
    )
    return set(connection.execute(asked).scalars())
