"""Brings a database to the schema of this version, with a copy taken first.

Alembic is imported only when there is something to do: it costs a start 0.2 s.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from cronpilot.errors import StorageProblem
from cronpilot.progress import Say, say_nothing
from cronpilot.storage import ready_made
from cronpilot.storage.backups import how_to_restore
from cronpilot.storage.database import copy_database, create_file, storage_problem
from cronpilot.storage.peek import HEAD as HEAD
from cronpilot.storage.ready_made import MIGRATIONS

KNOWN = tuple(sorted(path.name[:4] for path in (MIGRATIONS / "versions").glob("0*.py")))


def prepare(path: Path, copies: Path | None = None, say: Say = say_nothing) -> str | None:
    """Create or migrate the database at `path`.

    Args:
        copies: where the nightly copies are; the newest is named when the database is damaged.
        say: told what is about to take long.
    Returns:
        A sentence about a migration that was made, None when there was nothing to tell.
    Raises:
        StorageProblem: damaged, unreadable, or written by a newer version.
    """
    create_file(path)
    found = version_of(path, copies)
    if found == HEAD:
        return None
    if found is not None and found not in KNOWN:
        raise StorageProblem(
            f"{path} was written by a newer CronPilot (schema {found}, this one knows {HEAD}).",
            "Install that version again, or restore an older backup.",
        )
    copy = None
    if found is not None:
        say(f"Migrating the database ({path.stat().st_size / 1e6:.0f} MB), with a copy first ...")
        copy = _keep_copy(path, found)
    if found is not None or not ready_made.lay(path):
        migrate(path)
    return None if copy is None else f"The database was migrated to schema {HEAD}; copy: {copy}"


def version_of(path: Path, copies: Path | None = None) -> str | None:
    """The schema of the file; None when it is new and empty. Raises StorageProblem."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=5)
        try:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
            if "alembic_version" in tables:
                row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
                return str(row[0]) if row else None
        finally:
            connection.close()
    except sqlite3.OperationalError as error:  # locked, unreadable: the file itself may be sound
        raise storage_problem(error, path) from error
    except sqlite3.DatabaseError as error:
        raise StorageProblem(
            f"{path} is not a database that can be read ({error}).",
            "Restore a backup of it, or move it away to start with an empty one."
            if copies is None
            else how_to_restore(copies),
        ) from error
    if tables:
        raise StorageProblem(
            f"{path} is a database of another program.", "Choose another state directory."
        )
    return None


def _keep_copy(path: Path, version: str) -> Path:
    copy = path.with_name(f"{path.name}.schema-{version}")
    source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        copy_database(source, copy)
    finally:
        source.close()
    return copy


def migrate(path: Path) -> None:
    """Make of a database, or of an empty file, one of today's schema."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    engine.dispose()
