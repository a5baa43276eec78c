"""What has to be known of a database before the screen is painted; loads neither SQLAlchemy nor
anything that migrates, and takes a file of any schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

HEAD = "0002"
"""The schema of this version: what the newest migration is called."""

_REMEMBERED = "SELECT value FROM setting WHERE key = 'tasks_file'"
_DECLARED = (
    "SELECT entry_file, count(*) FROM task"
    " WHERE archived_at IS NULL AND entry_file IS NOT NULL GROUP BY entry_file"
)


@dataclass(frozen=True, slots=True)
class Declared:
    """The tasks files that a database knows."""

    remembered: str | None = None  # the one in force
    tasks: dict[str, int] = field(default_factory=dict)  # file -> tasks of it, archived ones aside


def peek(database: Path) -> Declared:
    """Look into a database. Nothing is known of one that is missing, or cannot be read: whoever
    opens it for work says why."""
    if not database.exists():
        return Declared()
    try:
        uri = f"{database.absolute().as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=5)) as connection:
            row = connection.execute(_REMEMBERED).fetchone()
            return Declared(row[0] if row else None, dict(connection.execute(_DECLARED)))
    except sqlite3.Error:
        return Declared()
