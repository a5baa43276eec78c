"""What the database remembers about itself, and the audit of who did what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select

from cronpilot.storage.database import upsert
from cronpilot.storage.prepared import Prepared
from cronpilot.storage.tables import Audit, Setting

_SETTING = Setting.__table__  # type: ignore[attr-defined]
AUDIT = Audit.__table__  # type: ignore[attr-defined]

INSTALLATION = "installation_id"
TASKS_FILE = "tasks_file"
PAUSED_AT = "scheduler_paused_at"
PAUSED_UNTIL = "scheduler_paused_until"
FOREIGN_RUNS = "foreign_runs"  # up to this id, a log without a row is of a database that is gone

_GET = Prepared(select(_SETTING.c.value).where(_SETTING.c.key == bindparam("wanted")))


def get(connection: Connection, key: str) -> str | None:
    """The setting of that key, None when it was never set."""
    value: str | None = _GET.scalar(connection, wanted=key)
    return value


def get_time(connection: Connection, key: str) -> datetime | None:
    """The setting of that key as an instant, aware UTC."""
    value = get(connection, key)
    return None if value is None else datetime.fromisoformat(value)


def put(connection: Connection, key: str, value: str | None) -> None:
    """Set it; None forgets it."""
    if value is None:
        connection.execute(delete(_SETTING).where(_SETTING.c.key == key))
        return
    connection.execute(upsert(_SETTING, "key"), {"key": key, "value": value})


def newest(connection: Connection) -> datetime | None:
    """When the last thing was noted. Served by the index `audit_at`."""
    return connection.execute(
        select(AUDIT.c.at).order_by(AUDIT.c.at.desc()).limit(1)
    ).scalar_one_or_none()


def forget_notes(connection: Connection, before: datetime, most: int) -> int:
    """Forget the oldest lines of the audit from before that moment; how many. Served by the index
    `audit_at`."""
    old = select(AUDIT.c.id).where(AUDIT.c.at < before).order_by(AUDIT.c.at).limit(most)
    return connection.execute(delete(AUDIT).where(AUDIT.c.id.in_(old))).rowcount


def note(
    connection: Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    task_id: int | None = None,
    run_id: int | None = None,
    detail: str = "",
) -> None:
    """Write one line of the audit."""
    connection.execute(
        insert(AUDIT).values(
            at=at, actor=actor, action=action, task_id=task_id, run_id=run_id, detail=detail
        )
    )
