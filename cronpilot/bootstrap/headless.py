"""The engine without a screen: for systemd, containers, and when its screen has gone."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cronpilot import progress
from cronpilot.bootstrap.first_process import is_first, stand_first
from cronpilot.bootstrap.outlet import unblocked_stderr
from cronpilot.bootstrap.serving import Prepared, prepare, serve_engine
from cronpilot.bootstrap.surroundings import (
    ask_on_terminal,
    log_to,
    make_state_dir,
    refuse_platform,
)
from cronpilot.client.sockets import SOCKET_NAME, answers
from cronpilot.domain.text import clean
from cronpilot.engine.choosing import choose_tasks_file
from cronpilot.errors import CronPilotError

if TYPE_CHECKING:
    from cronpilot.config.settings import Settings
    from cronpilot.engine.engine import Engine
    from cronpilot.engine.service import ServiceManager

log = logging.getLogger("cronpilot")


def run_headless(settings: Settings, *, log_level: str = "info") -> int:
    """The engine without a screen, until SIGTERM, ctrl+c or `cronpilot shutdown`. Exit code.

    As process 1 of a container it buries orphans, and SIGTERM stops what runs, too: all of it ends
    with process 1, and this way every run has its verdict.
    """
    if is_first():
        return stand_first(lambda: _talk(settings, log_level, in_container=True))
    return _talk(settings, log_level, in_container=False)


def _talk(settings: Settings, log_level: str, *, in_container: bool) -> int:
    """Nothing waits for whoever reads what is said, and may have stopped to."""
    from cronpilot.engine.journal import dropped, stderr_handler

    refuse_platform()
    with unblocked_stderr(lambda lines: dropped(handler, lines)):
        handler = stderr_handler(os.environ)
        log_to(handler)
        logging.getLogger("cronpilot").setLevel(log_level.upper())
        return _run(settings, in_container=in_container)


def _run(settings: Settings, *, in_container: bool) -> int:
    from cronpilot.engine.service import ServiceManager

    manager = ServiceManager(os.environ)
    make_state_dir(settings)
    from cronpilot.storage.lock import DatabaseLock

    lock = DatabaseLock(settings.database)
    if not lock.take():
        if answers(settings.state_dir / SOCKET_NAME):
            raise lock.busy()
        lock.take_patiently()
    try:
        settings = choose_tasks_file(settings, ask_on_terminal())
        manager.starting()
        prepared = prepare(settings, "headless", lock)
        for note in prepared.notes:
            print(f"cronpilot: {clean(note)}", file=sys.stderr)
        asyncio.run(_headless(settings, prepared, manager, in_container))
    finally:
        lock.release()
    return 0


async def _headless(
    settings: Settings, prepared: Prepared, manager: ServiceManager, in_container: bool
) -> None:
    from cronpilot.engine.service import accompany

    def reload(engine: Engine) -> None:
        _keep(_reload(engine, settings, manager))

    def end(engine: Engine) -> None:
        _keep(engine.shutdown(with_tasks=in_container))

    loop = asyncio.get_running_loop()

    def begun(engine: Engine) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end, engine)

    def ready(engine: Engine) -> None:
        starting.close()
        loop.add_signal_handler(signal.SIGHUP, reload, engine)
        config = prepared.config
        where = "no tasks file" if config.tasks_file is None else str(config.tasks_file)
        print(
            f"cronpilot: ready, pid {os.getpid()}, state directory {clean(str(config.state_dir))},"
            f" tasks from {clean(where)}",
            file=sys.stderr, flush=True,
        )  # fmt: skip
        manager.ready("Ready.")
        _keep(accompany(manager, engine))

    # From here on SIGHUP must not kill us, even before there is anything to read again.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with ExitStack() as starting:
        starting.enter_context(progress.said_if_long(_STARTING))
        await serve_engine(prepared, ready, begun)


_STARTING = "Starting: tasks are read, and runs of before are settled ..."
_beside: set[asyncio.Task[None]] = set()


def _keep(work: Coroutine[Any, Any, None]) -> None:
    """Run it beside the engine; a task that nobody holds may vanish."""
    job = asyncio.get_running_loop().create_task(work)
    _beside.add(job)
    job.add_done_callback(_beside.discard)


async def _reload(engine: Engine, settings: Settings, manager: ServiceManager) -> None:
    """SIGHUP: config.yaml and tasks.yaml again; a mistake in one leaves things as they are."""
    manager.reloading()
    try:
        await _read_again(engine, settings)
    finally:
        manager.ready("Ready; the files were read again.")


async def _read_again(engine: Engine, settings: Settings) -> None:
    from cronpilot.config.settings import load_settings
    from cronpilot.engine.engine import EngineConfig

    try:
        fresh = await asyncio.to_thread(
            load_settings, config=settings.config_file, state_dir=settings.state_dir,
            # The tasks file stays, also while it is missing.
            environ={k: v for k, v in os.environ.items() if k != "CRONPILOT_TASKS"}, cwd=Path.cwd(),
        )  # fmt: skip
    except CronPilotError as error:
        log.error("config.yaml was not read again: %s", error)
        fresh = settings
    await engine.reconfigure(
        EngineConfig(
            state_dir=settings.state_dir, database=settings.database,
            tasks_file=engine.tasks_file, timezone=fresh.timezone,
            max_workers=fresh.max_workers, pools=fresh.pools, quiet=fresh.quiet,
            retention=fresh.retention, api=fresh.api, smtp=fresh.smtp,
            notifications=fresh.notifications,
        )
    )  # fmt: skip
