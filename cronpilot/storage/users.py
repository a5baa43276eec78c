"""Users: their roles and the hashes of their passwords."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from cronpilot.domain.access import Role
from cronpilot.storage.tables import User

_USER = User.__table__  # type: ignore[attr-defined]


def every(connection: Connection) -> list[RowMapping]:
    """All users, by name."""
    return list(connection.execute(select(_USER).order_by(_USER.c.name)).mappings())


def add(connection: Connection, name: str, role: Role, password_hash: str, at: datetime) -> None:
    """Add one; the name must be free."""
    values = {"name": name, "role": role, "password_hash": password_hash}
    connection.execute(insert(_USER).values(**values, created_at=at, password_set_at=at))


def set_role(connection: Connection, name: str, role: Role) -> bool:
    """Give a user another role; False when there is none of that name."""
    changed = connection.execute(update(_USER).where(_USER.c.name == name).values(role=role))
    return bool(changed.rowcount)


def set_password(connection: Connection, name: str, password_hash: str, at: datetime) -> bool:
    """Give a user another password; False when there is none of that name."""
    values = {"password_hash": password_hash, "password_set_at": at}
    changed = connection.execute(update(_USER).where(_USER.c.name == name).values(**values))
    return bool(changed.rowcount)


def remove(connection: Connection, name: str) -> bool:
    """Take a user away; False when there is none of that name."""
    return bool(connection.execute(delete(_USER).where(_USER.c.name == name)).rowcount)
