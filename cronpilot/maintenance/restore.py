"""Puts a copy of the database in the place of the present one; whole before, whole after."""

from __future__ import annotations

import os
import shutil
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cronpilot.config.settings import Settings
from cronpilot.engine.restoring import Settled, settle_copy
from cronpilot.errors import Refused, StorageProblem, UsageProblem
from cronpilot.progress import Say, say_nothing
from cronpilot.runner.leftovers import Leftovers, leftovers, living
from cronpilot.storage import backups
from cronpilot.storage.database import Database, highest_ids
from cronpilot.storage.lock import DatabaseLock, refuse_network_disk
from cronpilot.storage.migrate import prepare, version_of

_BESIDE = ("-wal", "-shm", "-journal")  # what SQLite puts beside a database


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did; `kept` is the database of before, None when there was none."""

    database: Path
    kept: Path | None
    settled: Settled


def restore(settings: Settings, source: Path, say: Say = say_nothing) -> Restored:
    """Replace the database of this state directory by the copy in `source`.

    Args:
        say: told what is about to take long.
    Raises:
        UsageProblem: `source` is no file, or is the database itself.
        Refused: an engine runs, or commands still do.
        StorageProblem: the copy is damaged, foreign, or of a newer version; nothing was changed.
    """
    database = settings.database
    if not source.is_file():
        raise UsageProblem(
            f"There is no file {source}.", f"Copies of each night: {_copies(settings)}"
        )
    if database.exists() and source.samefile(database):
        raise UsageProblem(f"{source} is the database itself.", "Name a copy of it.")
    for folder in (settings.state_dir, database.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    refuse_network_disk(settings.state_dir)
    lock = DatabaseLock(database)
    if not lock.take():
        raise Refused(
            f"An engine runs on {settings.state_dir}.", "End it first: cronpilot shutdown"
        )
    try:
        _refuse_running(settings.state_dir)
        return _replace(settings, source, datetime.now(UTC), say)
    finally:
        lock.release()


def _copies(settings: Settings) -> Path:
    return backups.folder_of(settings.state_dir)


def _refuse_running(state_dir: Path) -> None:
    """A copy that does not know what runs could neither follow nor stop it."""
    lives = living(state_dir)
    if lives:
        ids = ", ".join(str(key.run_id) for key in lives)
        raise Refused(
            f"Commands still run (run {ids}), which the copy may not know.",
            "Stop them first: cronpilot stop --all",
        )


def _replace(settings: Settings, source: Path, now: datetime, say: Say) -> Restored:
    database = settings.database
    part = database.with_name(database.name + ".restoring")
    _remove(part)
    try:
        say(f"Copying and checking {source} ({source.stat().st_size / 1e6:.0f} MB) ...")
        backups.take_copy(source, part)
        _check(part, source)
        prepare(part, say=say)
        say("Settling what was open in it ...")
        settled = _settle(settings, part, source, now)
        kept = _swap(part, database, now)
    finally:
        _remove(part)
    return Restored(database, kept, settled)


def _swap(part: Path, database: Path, now: datetime) -> Path | None:
    """At no moment is there no database: the new one takes the name from the old one."""
    kept = database.with_name(f"{database.name}.before-restore-{now:%Y%m%dT%H%M%S}")
    there = database.exists()
    if kept.exists():
        raise Refused(f"{kept} exists.", "Try again in a second.")
    try:
        if there:
            _keep(database, kept)
        for ending in _BESIDE:
            database.with_name(database.name + ending).unlink(missing_ok=True)
        backups.put_in_place(part, database)
    except BaseException:
        _remove(kept)  # so far it is but a second name of the database in force
        raise
    return kept if there else None


def _remove(path: Path) -> None:
    for ending in ("", *_BESIDE):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _check(part: Path, source: Path) -> None:
    try:
        found = version_of(part)
    except StorageProblem as problem:
        raise StorageProblem(
            problem.problem.replace(str(part), str(source)), "Name a copy that CronPilot made."
        ) from problem
    if found is None:
        raise StorageProblem(f"{source} is an empty database.", "Name a copy that CronPilot made.")


def _settle(settings: Settings, part: Path, source: Path, now: datetime) -> Settled:
    """In the copy, before it counts: a crash in between leaves the present database in force."""
    on_disk = leftovers(settings.state_dir)
    task, run = highest_ids(settings.database)
    taken = Leftovers(max(task, on_disk.task_id), max(run, on_disk.run_id))
    copy = Database(part)
    try:
        settled = copy.write(
            partial(
                settle_copy, state_dir=settings.state_dir, taken=taken, source=source, now=now
            )
        ).result()  # fmt: skip
    finally:
        copy.close()
    connection = sqlite3.connect(part)
    connection.execute("PRAGMA journal_mode=DELETE")  # all of it in the one file that is renamed
    connection.close()
    return settled


def _keep(database: Path, kept: Path) -> None:
    """A second name for the database of before, with its WAL where that could not be folded in."""
    try:
        connection = sqlite3.connect(database, timeout=5)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
    except sqlite3.DatabaseError:
        pass  # damaged: both files are kept as they are
    wal = database.with_name(database.name + "-wal")
    if wal.exists() and wal.stat().st_size:
        _link(wal, kept.with_name(kept.name + "-wal"))
    _link(database, kept)


def _link(path: Path, name: Path) -> None:
    try:
        os.link(path, name)
    except OSError:  # a file system without links
        shutil.copyfile(path, name)
        name.chmod(0o600)
