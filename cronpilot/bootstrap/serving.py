"""An engine that answers: its database opened, its API served on the unix socket."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from cronpilot import progress
from cronpilot.client.sockets import SOCKET_NAME, answers

if TYPE_CHECKING:
    from cronpilot.config.settings import Settings
    from cronpilot.engine.engine import Engine, EngineConfig
    from cronpilot.storage.lock import DatabaseLock

log = logging.getLogger("cronpilot")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an engine needs before it can start: lock taken, database migrated."""

    lock: DatabaseLock
    config: EngineConfig
    notes: tuple[str, ...]


def prepare(
    settings: Settings, role: Literal["screen", "headless"], lock: DatabaseLock
) -> Prepared:
    """Migrate the database; the lock is ours already."""
    from cronpilot.engine.engine import EngineConfig
    from cronpilot.engine.opening import open_database

    # The screen owns the terminal: what it should say goes into the log.
    tell = progress.say if role == "headless" else log.info
    opened = open_database(settings.database, settings.state_dir, tell)
    notes = [*settings.settings_warnings, *opened]
    config = EngineConfig(
        state_dir=settings.state_dir, database=settings.database, tasks_file=settings.tasks_file,
        timezone=settings.timezone, max_workers=settings.max_workers, pools=settings.pools,
        role=role, retention=settings.retention, take_over=settings.take_over,
    )  # fmt: skip
    return Prepared(lock, config, tuple(notes))


async def serve_engine(prepared: Prepared, ready: Callable[[Engine], None]) -> None:
    """Run an engine until it is told to stop; `ready` is called when it answers."""
    from cronpilot.engine.engine import Engine

    engine = Engine(prepared.config)
    server = asyncio.create_task(asyncio.to_thread(import_module, "cronpilot.api.server"))
    await engine.start()  # it waits for the disk and its keeper, while the server is loaded
    await server
    from cronpilot.api.server import bind_unix, remove_unix, serve

    sock = bind_unix(prepared.config.state_dir)
    serving = asyncio.create_task(serve(engine, sock, engine.stopped))
    path = prepared.config.state_dir / SOCKET_NAME
    while not (serving.done() or answers(path)):  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.005)
    gc.freeze()  # what is loaded stays: no look for garbage goes through it again
    ready(engine)
    try:
        await serving
    finally:
        await engine.stop()
        remove_unix(prepared.config.state_dir)
