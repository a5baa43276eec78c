"""The database before an engine: made, migrated, or refused; ids that files know stay taken."""

from __future__ import annotations

from pathlib import Path

from cronpilot.progress import Say, say_nothing
from cronpilot.runner.leftovers import Leftovers, leftovers, living
from cronpilot.storage import backups, meta
from cronpilot.storage.database import Connection, Database, raise_ids
from cronpilot.storage.migrate import prepare


def open_database(path: Path, state_dir: Path, say: Say = say_nothing) -> list[str]:
    """Make it ready for an engine; the lock is ours.

    Args:
        say: told what is about to take long.
    Returns:
        Sentences for people: about a migration, or that a database has gone missing.
    Raises:
        StorageProblem: locked, damaged, unreadable, or written by a newer version.
    """
    is_new = not path.exists() or path.stat().st_size == 0
    copies = backups.folder_of(state_dir)
    migrated = prepare(path, copies, say)
    notes = [migrated] if migrated else []
    if is_new:
        notes += _adopt(path, state_dir)
    return notes


def _adopt(path: Path, state_dir: Path) -> list[str]:
    """Of a new database: keep the ids of earlier files taken, and say what is missing."""
    found = leftovers(state_dir)
    copy = backups.newest(backups.folder_of(state_dir))
    if not found.run_id and copy is None:
        return []
    database = Database(path)
    try:
        database.write(lambda connection: reserve(connection, found)).result()
    finally:
        database.close()
    return [sentence for sentence in _missing(path, state_dir, found, copy) if sentence]


def _missing(path: Path, state_dir: Path, found: Leftovers, copy: Path | None) -> list[str]:
    lives = ", ".join(str(key.run_id) for key in living(state_dir))
    return [
        f"There was no database at {path}, but runs there have been before; a new one was made.",
        f"Logs and records up to run {found.run_id} are kept." if found.run_id else "",
        f"Runs {lives} of before still go on; this engine does not know them." if lives else "",
        f"To go back: cronpilot shutdown; cronpilot restore {copy}" if copy else "",
    ]


def reserve(connection: Connection, found: Leftovers) -> None:
    """Give out no id that a file of before has: its log would be written on, its record obeyed."""
    raise_ids(connection, "task", found.task_id)
    raise_ids(connection, "run", found.run_id)
    if found.run_id:
        meta.put(connection, meta.FOREIGN_RUNS, str(found.run_id))
