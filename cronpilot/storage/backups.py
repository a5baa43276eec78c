"""Copies of the database: one for each night, and what may be restored from one."""

from __future__ import annotations

import os
import shutil
import sqlite3
from datetime import date
from pathlib import Path

from cronpilot.errors import Refused, StorageProblem
from cronpilot.storage.database import Database, copy_database, health

FOLDER = "backups"  # in the state directory
KEPT = 7
_NIGHTLY = "nightly-"
_PART = ".part"
_WHERE = "Name a file in a directory that is there, is yours and has room."


def folder_of(state_dir: Path) -> Path:
    """Where the nightly copies are."""
    return state_dir / FOLDER


def nightly(folder: Path, night: date) -> Path:
    """The copy of that night."""
    return folder / f"{_NIGHTLY}{night:%Y%m%d}.db"


def nightlies(folder: Path) -> list[Path]:
    """Oldest first."""
    return sorted(folder.glob(f"{_NIGHTLY}????????.db"))


def newest(folder: Path) -> Path | None:
    """The newest nightly copy, None when there is none."""
    return next(reversed(nightlies(folder)), None)


def how_to_restore(folder: Path) -> str:
    """What to do about a damaged database, as a hint; names the newest copy."""
    copy = newest(folder)
    if copy is None:
        return "There is no nightly copy. Move it away to start with an empty one."
    return f"Restore the newest copy: cronpilot restore {copy}"


def make(database: Database, target: Path) -> Path:
    """A copy where somebody wants it; nothing is overwritten, and nothing half done is left.

    Raises:
        Refused: there is something already, or nothing can be written there.
        StorageProblem: the database cannot be read.
    """
    try:
        target.touch(mode=0o600, exist_ok=False)  # a copy holds commands and their variables
    except FileExistsError as error:
        raise Refused(
            f"{target} exists.", "Name a new file; a backup overwrites nothing."
        ) from error
    except OSError as error:
        raise Refused(f"{target} cannot be written: {error.strerror}.", _WHERE) from error
    try:
        database.backup(target)
    except sqlite3.Error as error:
        target.unlink()
        raise StorageProblem(f"{target} could not be written: {error}.", _WHERE) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def make_nightly(database: Database, target: Path, *, spare: int) -> None:
    """Copy, check, put in place under its name, drop all but the newest `KEPT`.

    Args:
        spare: bytes that must stay free on the disk beside the copy.
    Raises:
        StorageProblem: no room, the database cannot be read, or the copy is damaged; nothing of
            it is left.
        OSError: the disk says no.
    """
    folder = target.parent
    folder.mkdir(mode=0o700, exist_ok=True)
    part = target.with_name(target.name + _PART)
    for leftover in folder.glob(f"{_NIGHTLY}*{_PART}"):
        leftover.unlink()
    size, free = database.path.stat().st_size, shutil.disk_usage(folder).free
    if free < size + spare:
        raise StorageProblem(
            f"There is no room for the nightly copy of the database: {free // 10**6} MB are free.",
            f"Make room for {(size + spare) // 10**6} MB.",
        )
    try:
        database.backup(part)
        found = health(part)
        if found:
            raise StorageProblem(
                f"The nightly copy of the database is damaged ({found}); it was not kept.",
                "The database itself may be damaged, too: cronpilot doctor",
            )
        put_in_place(part, target)
    except sqlite3.Error as error:
        raise StorageProblem(
            f"The nightly copy of the database could not be made: {error}.",
            "It is tried again; see: cronpilot doctor",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    for old in nightlies(folder)[:-KEPT]:
        old.unlink()


def put_in_place(part: Path, target: Path) -> None:
    """Rename a finished file to its name; whole on the disk before and after a power cut."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(target)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def take_copy(source: Path, target: Path) -> None:
    """Copy a database that lies somewhere into `target`, what is in its WAL included.

    Raises:
        StorageProblem: it cannot be read, or is no sound database.
    """
    # A file without a WAL is read as it is: SQLite would want to write beside it.
    has_wal = source.with_name(source.name + "-wal").exists()
    uri = f"{source.absolute().as_uri()}?mode=ro{'' if has_wal else '&immutable=1'}"
    try:
        connection = sqlite3.connect(uri, uri=True, timeout=5)
        try:
            copy_database(connection, target)
        finally:
            connection.close()
        found = health(target)
    except sqlite3.Error as error:
        raise StorageProblem(
            f"{source} cannot be restored: {error}.", "Name a file that `cronpilot backup` made."
        ) from error
    if found:
        raise StorageProblem(f"{source} is damaged ({found}).", "Choose an older copy.")
