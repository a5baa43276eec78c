"""An engine that answers: its database opened, its API served on the unix socket."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from cronpilot import progress
from cronpilot.bootstrap.garbage import all_of_it_stays, look_through_portions
from cronpilot.client.sockets import SOCKET_NAME, answers

if TYPE_CHECKING:
    from cronpilot.config.settings import Settings
    from cronpilot.config.web_settings import WebSettings
    from cronpilot.engine.engine import Engine, EngineConfig
    from cronpilot.storage.lock import DatabaseLock

log = logging.getLogger("cronpilot")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an engine needs before it can start: lock taken, database migrated."""

    lock: DatabaseLock
    config: EngineConfig
    notes: tuple[str, ...]
    web: WebSettings


def prepare(
    settings: Settings, role: Literal["screen", "headless"], lock: DatabaseLock
) -> Prepared:
    """Migrate the database; the lock is ours already."""
    with all_of_it_stays():
        from cronpilot.engine.engine import EngineConfig
        from cronpilot.engine.opening import open_database

    # The screen owns the terminal: what it should say goes into the log.
    tell = progress.say if role == "headless" else log.info
    opened = open_database(settings.database, settings.state_dir, tell)
    notes = [*settings.settings_warnings, *opened]
    config = EngineConfig(
        state_dir=settings.state_dir, database=settings.database, tasks_file=settings.tasks_file,
        timezone=settings.timezone, max_workers=settings.max_workers, pools=settings.pools,
        quiet=settings.quiet, role=role, retention=settings.retention, take_over=settings.take_over,
        api=settings.api, smtp=settings.smtp, notifications=settings.notifications,
    )  # fmt: skip
    return Prepared(lock, config, tuple(notes), settings.web)


async def serve_engine(
    prepared: Prepared,
    ready: Callable[[Engine], None],
    begun: Callable[[Engine], None] | None = None,
) -> None:
    """Run an engine until it is told to stop. Raises what a part of it has failed of: whoever
    supervises us starts it again then.

    `begun` is called as soon as it starts tasks, and can be told to stop; `ready` when it answers.
    """
    with all_of_it_stays():
        engine, serving, network = await _begin(prepared, begun)
    look_through_portions()
    ready(engine)
    try:
        await serving
    finally:
        from cronpilot.api.server import remove_unix

        engine.stopped.set()
        await asyncio.gather(network, return_exceptions=True)
        await engine.stop()
        remove_unix(prepared.config.state_dir)
    if engine.failure is not None:
        raise engine.failure


async def _begin(
    prepared: Prepared, begun: Callable[[Engine], None] | None
) -> tuple[Engine, asyncio.Task[None], asyncio.Task[None]]:
    """Start an engine until it answers: it, what serves it on its socket, and on TCP."""
    from cronpilot.bootstrap.network import make_front, take_admin_password
    from cronpilot.engine.engine import Engine

    password = take_admin_password()
    engine = Engine(prepared.config)
    server = asyncio.create_task(asyncio.to_thread(import_module, "cronpilot.api.server"))
    # It waits for the disk and its keeper, while the server is loaded. What is due starts after
    # that: hundreds of starts at once, and what they do, would make the loading last twice as long.
    answering = asyncio.Event()
    await engine.start(clock_after=answering)
    if begun is not None:
        begun(engine)
    await server
    from cronpilot.api.app import make_app
    from cronpilot.api.auth import Gate
    from cronpilot.api.server import bind_unix, serve
    from cronpilot.bootstrap.panel import add_panel

    await engine.accounts.load()
    gate = Gate(engine.accounts, shelf=engine.accounts.sessions)
    app = make_app(engine, gate)
    add_panel(app, prepared.config.state_dir, prepared.web)
    say = _say_on_stderr if prepared.config.role == "headless" else log.warning
    front = make_front(engine, app, gate, prepared.config, say, password)
    network = asyncio.create_task(front.run(engine.stopped))
    sock = bind_unix(prepared.config.state_dir)
    serving = asyncio.create_task(serve(engine, sock, engine.stopped, app))
    path = prepared.config.state_dir / SOCKET_NAME
    while not (serving.done() or answers(path)):  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.005)
    answering.set()
    await front.tried.wait()
    return engine, serving, network


def _say_on_stderr(sentence: str) -> None:
    sys.stderr.write(f"cronpilot: {sentence}\n")
    sys.stderr.flush()
