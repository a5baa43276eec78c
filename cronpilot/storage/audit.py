"""The audit, as it is read: who did what, newest first."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, select

from cronpilot.client.users import AuditQuery
from cronpilot.storage.meta import AUDIT


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
