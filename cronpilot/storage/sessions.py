"""Sessions of browsers, by the hashes of their tokens."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from cronpilot.domain.access import Stay
from cronpilot.storage.tables import BrowserSession

_SESSION = BrowserSession.__table__  # type: ignore[attr-defined]


def every(connection: Connection) -> list[Stay]:
    """All of them, the one that was opened first before the others."""
    rows = connection.execute(select(_SESSION).order_by(_SESSION.c.opened_at, _SESSION.c.key))
    return [Stay(**row) for row in rows.mappings()]


def add(connection: Connection, stay: Stay) -> None:
    """Keep one; its key is new."""
    connection.execute(
        insert(_SESSION).values(
            key=stay.key, name=stay.name, opened_at=stay.opened_at, used_at=stay.used_at
        )
    )


def use(connection: Connection, key: str, at: datetime) -> None:
    """It was used then; nothing where it is over."""
    connection.execute(update(_SESSION).where(_SESSION.c.key == key).values(used_at=at))


def remove(connection: Connection, keys: Collection[str]) -> None:
    """They are over."""
    connection.execute(delete(_SESSION).where(_SESSION.c.key.in_(keys)))


def remove_of(connection: Connection, name: str) -> None:
    """All of that user's are over."""
    connection.execute(delete(_SESSION).where(_SESSION.c.name == name))


def remove_all(connection: Connection) -> None:
    """Nobody is logged in any more."""
    connection.execute(delete(_SESSION))
