"""Whom a command asks: the engine of a state directory, or its database alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from cronpilot.client.sockets import SOCKET_NAME, answers
from cronpilot.errors import NoEngine, StorageProblem

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.config.settings import Settings

PATIENCE_S = 2.0  # while an engine starts, or the last one's lock is still being freed
LOOK_S = 0.05  # between two looks


def open_client(settings: Settings, *, need_engine: bool) -> Client:
    """A client of the engine of this state directory; without one, a reader of its database.

    Raises:
        NoEngine: none answers, and one is needed or there is no database to read.
        StorageProblem: the database was written by another version.
    """
    path = settings.state_dir / SOCKET_NAME
    if answers(path) or (_is_locked(settings) and wait_for_answer(path, PATIENCE_S)):
        from cronpilot.client.http import HttpClient

        return HttpClient.over_socket(path)
    if need_engine or not settings.database.exists():
        raise NoEngine(str(settings.state_dir))
    return _offline(settings)


def _offline(settings: Settings) -> Client:
    from cronpilot.engine.choosing import choose_tasks_file
    from cronpilot.engine.offline import OfflineClient
    from cronpilot.storage.migrate import HEAD, version_of

    found = version_of(settings.database)
    if found != HEAD:
        raise StorageProblem(
            f"{settings.database} has schema {found}, this CronPilot reads {HEAD}.",
            "Start an engine of this version, which migrates it: cronpilot --headless",
        )
    return OfflineClient(
        settings.database, settings.state_dir,
        max_workers=settings.max_workers, timezone=settings.timezone,
        tasks_file=choose_tasks_file(settings).tasks_file, quiet=settings.quiet,
    )  # fmt: skip


def wait_for_answer(path: Path, patience_s: float) -> bool:
    """Whether somebody listens on that socket, within so many seconds.

    It looks again and again: the kernel tells nobody when another process begins to listen.
    """
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if answers(path):
            return True
        time.sleep(LOOK_S)
    return False


def _is_locked(settings: Settings) -> bool:
    from cronpilot.storage.lock import DatabaseLock

    if not settings.database.parent.is_dir() or not settings.database.exists():
        return False
    lock = DatabaseLock(settings.database)
    if not lock.take():
        return True
    lock.release()
    return False
