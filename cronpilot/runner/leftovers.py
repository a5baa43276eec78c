"""What the files of runs tell when no database can: which ids are taken, what still lives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cronpilot.runner.keeper import proc, record
from cronpilot.runner.messages import AttemptKey


class Leftovers(NamedTuple):
    """The highest ids that name a log or a record; 0: none."""

    task_id: int
    run_id: int


def leftovers(state_dir: Path) -> Leftovers:
    """Look at the names of all logs and records."""
    folders = [path for path in _children(state_dir / "logs") if path.name.isdigit()]
    logs = (_number(path.name) for folder in folders for path in _children(folder))
    records = (key.run_id for key in record_keys(state_dir))
    return Leftovers(
        task_id=max((int(folder.name) for folder in folders), default=0),
        run_id=max(max(logs, default=0), max(records, default=0)),
    )


def record_keys(state_dir: Path) -> Iterator[AttemptKey]:
    """The launches that have a record, in no order."""
    for path in _children(state_dir / "records"):
        run, _, launch = path.name.partition(".")
        if run.isdigit() and launch.isdigit():
            yield AttemptKey(int(run), int(launch))


def living(state_dir: Path) -> list[AttemptKey]:
    """Launches whose command, or the shell around it, still runs, whoever looks after it."""
    return sorted(key for key in record_keys(state_dir) if _lives(state_dir, key))


def ended(state_dir: Path) -> set[AttemptKey]:
    """Launches whose record says how they ended, which no engine has written down yet."""
    return {key for key in record_keys(state_dir) if _has_ended(_read(state_dir, key))}


def installation_of(state_dir: Path, key: AttemptKey) -> str | None:
    """Whose launch a record is, from its claim; None when it says nothing."""
    seen = _read(state_dir, key)
    claim = seen.claim if seen is not None else None
    return claim.cookie.partition("-")[0] if claim is not None else None


def _has_ended(seen: record.Record | None) -> bool:
    return seen is not None and bool(seen.ended or seen.final() is not None)


def _lives(state_dir: Path, key: AttemptKey) -> bool:
    try:
        fd = record.reopen(record.record_path(str(state_dir), key.run_id, key.launch))
    except OSError:
        return False
    try:
        if not record.lock(fd):
            return True
        seen = record.read(fd)
    finally:
        os.close(fd)
    command = seen.command
    if command is None or _has_ended(seen):
        return False
    found = proc.is_same(command.pid, command.start)  # its wrapper was killed, it goes on
    return found is not None and found.state != b"Z"


def _read(state_dir: Path, key: AttemptKey) -> record.Record | None:
    try:
        fd = record.reopen(record.record_path(str(state_dir), key.run_id, key.launch))
    except OSError:
        return None
    try:
        return record.read(fd)
    finally:
        os.close(fd)


def _children(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _number(name: str) -> int:
    stem = name.partition(".")[0]
    return int(stem) if stem.isdigit() else 0
