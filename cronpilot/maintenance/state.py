"""What the doctor knows about a state directory: its disk, database, engine and keeper."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cronpilot.client.sockets import SOCKET_NAME, answers
from cronpilot.config.settings import Settings
from cronpilot.domain.size import format_size
from cronpilot.engine.disk import LEAST_FREE, free_bytes
from cronpilot.errors import StorageProblem
from cronpilot.maintenance.finding import Finding, good, problem, warning
from cronpilot.runner.keeper.proc import stat_of
from cronpilot.runner.leftovers import living
from cronpilot.storage import backups
from cronpilot.storage.lock import refuse_network_disk
from cronpilot.storage.migrate import HEAD, KNOWN

_LARGE_WAL = 256_000_000  # bytes; SQLite folds it back in at some 4 MB, unless a reader holds it
_SCARCE = 8 * LEAST_FREE
_AHEAD = timedelta(minutes=5)


def directory(path: Path) -> Iterator[Finding]:
    """Is it there, ours, closed to others, on a local disk?"""
    name = "state directory"
    try:
        found = path.stat()
    except FileNotFoundError:
        yield good(name, f"{path} is not there yet; the first start makes it")
        return
    except OSError as error:
        yield problem(name, f"{path}: {error.strerror}", "Choose another one: --state-dir DIR")
        return
    if not stat.S_ISDIR(found.st_mode):
        yield problem(name, f"{path} is no directory", "Choose another one: --state-dir DIR")
        return
    flaws = list(_flaws(name, path, found))
    yield from flaws or [good(name, f"{path} is yours alone, on a local disk")]


def _flaws(name: str, path: Path, found: os.stat_result) -> Iterator[Finding]:
    if found.st_uid != os.geteuid():
        yield problem(name, f"{path} belongs to user {found.st_uid}", "Run as that user.")
    if found.st_mode & 0o077:
        mode = stat.S_IMODE(found.st_mode)
        yield warning(name, f"others may look into {path} ({mode:o})", f"chmod 700 {path}")
    if not os.access(path, os.W_OK | os.X_OK):
        yield problem(name, f"{path} is not writable", f"chmod 700 {path}")
    try:
        refuse_network_disk(path)
    except StorageProblem as said:
        yield problem(name, said.problem, said.hint)


def free_space(path: Path) -> Iterator[Finding]:
    """Room for the database and the logs, where the directory is or will be."""
    name = "disk space"
    nearest = next(folder for folder in (path, *path.parents) if folder.is_dir())
    free = free_bytes(nearest)
    text = f"{format_size(free)} are free"
    if free < LEAST_FREE:
        yield problem(name, f"{text}: nothing is started", "Make room.")
    elif free < _SCARCE:
        yield warning(name, text, f"Nothing is started below {format_size(LEAST_FREE)}.")
    else:
        yield good(name, text)


# --- the database --------------------------------------------------------------------------------


def database(settings: Settings) -> Iterator[Finding]:
    """Can it be read, is it sound, of which schema, how large; from when is the newest copy?"""
    name, path = "database", settings.database
    copies = backups.folder_of(settings.state_dir)
    if not path.exists():
        copy = backups.newest(copies)
        if copy is None:
            yield good(name, "there is none yet")
        else:
            yield problem(name, f"{path} is gone", f"Restore it: cronpilot restore {copy}")
        return
    try:
        schema, found = _read(path)
    except sqlite3.Error as error:
        yield problem(name, f"{path} cannot be read: {error}", backups.how_to_restore(copies))
        return
    if found != ["ok"]:
        yield problem(name, f"{path} is damaged: {found[0]}", backups.how_to_restore(copies))
    elif schema is None:
        yield problem(name, f"{path} is no database of CronPilot", "Choose another --state-dir.")
    elif schema not in KNOWN:
        yield problem(name, f"{path} has schema {schema}, newer than {HEAD}", "Update CronPilot.")
    else:
        yield good(name, f"sound, schema {schema}, {_sizes(path)}")
    yield from _wal(path)
    yield _newest_copy(copies)


def _read(path: Path) -> tuple[str | None, list[str]]:
    """Schema and health. Without a WAL the file is read as it is: SQLite would make files."""
    immutable = "" if _beside(path, "-wal").exists() else "&immutable=1"
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro{immutable}", uri=True)
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(1)")]
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if "alembic_version" not in tables:
            return None, found
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return (str(row[0]) if row else None), found
    finally:
        connection.close()


def _sizes(path: Path) -> str:
    wal = _beside(path, "-wal")
    more = f" and a WAL of {format_size(wal.stat().st_size)}" if wal.exists() else ""
    return format_size(path.stat().st_size) + more


def _wal(path: Path) -> Iterator[Finding]:
    wal = _beside(path, "-wal")
    if wal.exists() and wal.stat().st_size > _LARGE_WAL:
        size = format_size(wal.stat().st_size)
        yield warning(
            "database", f"its WAL has grown to {size}", "Does another program read it all the time?"
        )
    newest = max(file.stat().st_mtime for file in (path, wal) if file.exists())
    ahead = datetime.fromtimestamp(newest, UTC) - datetime.now(UTC)
    if ahead > _AHEAD:
        yield warning("clock", f"it is {ahead} behind the database's last write", "Check the time.")


def _newest_copy(copies: Path) -> Finding:
    copy = backups.newest(copies)
    if copy is None:
        return good("nightly copies", "none yet; an engine makes one each night")
    made = datetime.fromtimestamp(copy.stat().st_mtime).astimezone()
    return good("nightly copies", f"{len(backups.nightlies(copies))}, newest {made:%Y-%m-%d %H:%M}")


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


# --- who is there --------------------------------------------------------------------------------


def lock_and_engine(settings: Settings) -> Iterator[Finding]:
    """Who holds the database, and does that answer?"""
    name = "engine"
    holder = lock_holder(_beside(settings.database, ".lock"))
    replies = answers(settings.state_dir / SOCKET_NAME)
    if holder is None and not replies:
        yield warning(name, "none runs: nothing is started", "Start one: cronpilot --headless")
    elif holder is None:
        yield problem(name, "one answers that does not hold the database", "End it and start anew.")
    elif replies:
        yield good(name, f"it answers ({holder} holds the database)")
    else:
        yield problem(name, f"{holder} holds the database and does not answer", "See engine.log.")


def lock_holder(path: Path) -> str | None:
    """`pid 123` when somebody holds an exclusive flock on the file, None when nobody does."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(fd, 20, 0).decode("ascii", "replace").strip()
        return f"pid {pid}" if pid.isdigit() else "somebody"
    finally:
        os.close(fd)
    return None


def keeper(path: Path) -> Iterator[Finding]:
    """Does it live? Its socket is left alone: it obeys whoever linked last."""
    name = "keeper"
    holder = lock_holder(path / "keeper.lock")
    lives = living(path)
    runs, go_on = (f"{len(lives)} runs", "go on") if len(lives) != 1 else ("1 run", "goes on")
    if holder is None and lives:
        yield warning(
            name, f"gone, while {runs} {go_on}", "The next engine starts one that takes them up."
        )
    elif holder is None:
        yield good(name, "none; it comes with the first run")
    elif _is_halted(holder):
        yield problem(name, f"{holder} is halted", f"Wake it: kill -CONT {holder.split()[-1]}")
    else:
        yield good(name, f"{holder} lives, with {runs}")


def _is_halted(holder: str) -> bool:
    found = stat_of(holder.split()[-1])
    return found is not None and found.state in (b"T", b"t")
