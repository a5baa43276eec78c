"""Builds the parts and joins them; the only module that knows them all.

Whatever is not needed before the first paint, or by a short command, is imported where it is used.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cronpilot import progress
from cronpilot.client.sockets import SOCKET_NAME, answers
from cronpilot.config.settings import Settings, unsupported_platform
from cronpilot.domain.text import clean
from cronpilot.engine.choosing import choose_tasks_file
from cronpilot.errors import CronPilotError, NoEngine, StorageProblem, UsageProblem

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.engine.engine import Engine, EngineConfig
    from cronpilot.engine.service import ServiceManager
    from cronpilot.storage.lock import DatabaseLock
    from cronpilot.tui.leave import Leave

PATIENCE_S = 2.0  # while an engine starts, or the last one's lock is still being freed
ANSWER_S = 10.0  # for a detached engine to answer
LOG_BYTES, LOG_COPIES = 5_000_000, 3

log = logging.getLogger("cronpilot")


# --- clients -------------------------------------------------------------------------------------


def open_client(settings: Settings, *, need_engine: bool) -> Client:
    """A client of the engine of this state directory; without one, a reader of its database.

    Raises:
        NoEngine: none answers, and one is needed or there is no database to read.
        StorageProblem: the database was written by another version.
    """
    from cronpilot.client.http import HttpClient

    path = settings.state_dir / SOCKET_NAME
    if answers(path) or (_is_locked(settings) and _wait_for_answer(path, PATIENCE_S)):
        return HttpClient.over_socket(path)
    if need_engine or not settings.database.exists():
        raise NoEngine(str(settings.state_dir))
    return _offline(settings)


def _offline(settings: Settings) -> Client:
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
        tasks_file=choose_tasks_file(settings).tasks_file,
    )  # fmt: skip


def _wait_for_answer(path: Path, patience_s: float) -> bool:
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if answers(path):
            return True
        time.sleep(0.05)
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


# --- the engine ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prepared:
    """What an engine needs before it can start: lock taken, database migrated."""

    lock: DatabaseLock
    config: EngineConfig
    notes: tuple[str, ...]


def _prepare(
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


def _make_state_dir(settings: Settings) -> None:
    from cronpilot.storage.lock import refuse_network_disk

    try:
        settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageProblem(
            f"The state directory {settings.state_dir} cannot be made: {error.strerror}.",
            "Choose another one: --state-dir DIR",
        ) from error
    if not os.access(settings.state_dir, os.W_OK | os.X_OK):
        raise UsageProblem(
            f"The state directory {settings.state_dir} is not writable.",
            "Choose another one: --state-dir DIR",
        )
    refuse_network_disk(settings.state_dir)


async def _serve(prepared: Prepared, ready: Callable[[Engine], None]) -> None:
    """Run an engine until it is told to stop; `ready` is called when it answers."""
    from cronpilot.api.server import bind_unix, remove_unix, serve
    from cronpilot.engine.engine import Engine

    engine = Engine(prepared.config)
    await engine.start()
    sock = bind_unix(prepared.config.state_dir)
    serving = asyncio.create_task(serve(engine, sock, engine.stopped))
    path = prepared.config.state_dir / SOCKET_NAME
    while not (serving.done() or answers(path)):  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.005)
    ready(engine)
    try:
        await serving
    finally:
        await engine.stop()
        remove_unix(prepared.config.state_dir)


def run_headless(settings: Settings, *, log_level: str = "info") -> int:
    """The engine without a screen, until SIGTERM, ctrl+c or `cronpilot shutdown`. Exit code."""
    from cronpilot.engine.journal import stderr_handler
    from cronpilot.engine.service import ServiceManager

    _refuse_platform()
    _use(stderr_handler(os.environ))
    logging.getLogger("cronpilot").setLevel(log_level.upper())
    manager = ServiceManager(os.environ)
    _make_state_dir(settings)
    from cronpilot.storage.lock import DatabaseLock

    lock = DatabaseLock(settings.database)
    if not lock.take():
        if answers(settings.state_dir / SOCKET_NAME):
            raise lock.busy()
        lock.take_patiently()
    try:
        settings = choose_tasks_file(settings, _ask_on_terminal())
        manager.starting()
        prepared = _prepare(settings, "headless", lock)
        for note in prepared.notes:
            print(f"cronpilot: {clean(note)}", file=sys.stderr)
        asyncio.run(_headless(settings, prepared, manager))
    finally:
        lock.release()
    return 0


async def _headless(settings: Settings, prepared: Prepared, manager: ServiceManager) -> None:
    from cronpilot.engine.service import accompany

    def reload(engine: Engine) -> None:
        _keep(_reload(engine, settings, manager))

    def ready(engine: Engine) -> None:
        starting.close()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, engine.stopped.set)
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
        await _serve(prepared, ready)


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
            max_workers=fresh.max_workers, pools=fresh.pools, retention=fresh.retention,
        )
    )  # fmt: skip


class EngineThread:
    """An engine on a thread of its own, with its own loop: it goes on when the screen is gone."""

    def __init__(self, settings: Settings, lock: DatabaseLock) -> None:
        self._settings, self._lock = settings, lock
        self.tasks_file: Path | None = settings.tasks_file
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)

    def start(self) -> None:
        """Return when it answers. Raises what kept it from starting."""
        if not self._thread.is_alive() and not self._ready.is_set():
            self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End it, and wait for that; running tasks go on."""
        if self._loop is not None and self._engine is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._engine.stopped.set)
        self.join()

    def go_on_alone(self) -> None:
        """Its screen is gone."""
        if self._loop is not None and self._engine is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._engine.screen_is_gone)

    def join(self) -> None:
        """Wait until somebody has ended it."""
        while self._thread.is_alive():
            self._thread.join(1)

    def _work(self) -> None:
        try:
            prepared = _prepare(self._settings, "screen", self._lock)
            self.tasks_file = prepared.config.tasks_file
            for note in prepared.notes:
                log.warning("%s", note)
            asyncio.run(_serve(prepared, self._is_ready))
        except BaseException as error:
            self._failure = error
            log.critical("The engine could not go on", exc_info=error)
        finally:
            self._ready.set()
            self._lock.release()

    def _is_ready(self, engine: Engine) -> None:
        self._engine, self._loop = engine, asyncio.get_running_loop()
        self._ready.set()


# --- the screen ----------------------------------------------------------------------------------


def run_screen(settings: Settings) -> int:
    """The screen, with the engine behind it if none runs yet. Exit code."""
    from cronpilot.tui.terminal import screen_problem

    _refuse_platform()
    problem = screen_problem(os.environ, sys.stdin, sys.stdout)
    if problem is not None:
        raise UsageProblem(problem)
    if settings.connect is not None:
        return _show_other(settings, settings.connect)
    _make_state_dir(settings)
    from cronpilot.storage.lock import DatabaseLock

    lock = DatabaseLock(settings.database)
    if not lock.take():
        if not _wait_for_answer(settings.state_dir / SOCKET_NAME, PATIENCE_S):
            lock.take_patiently()  # raises, unless it has just been freed
        else:
            return _show(settings, None)
    settings = choose_tasks_file(settings, _ask_on_terminal())
    _log_to_file(settings.state_dir)
    if settings.tasks_file is not None:
        print(f"cronpilot: tasks from {clean(str(settings.tasks_file))}", file=sys.stderr)
    return _show(settings, EngineThread(settings, lock))


def _show_other(settings: Settings, address: str) -> int:
    """The screen of the engine that answers at that address; none is started here."""
    from cronpilot.client.http import HttpClient

    async def connect() -> Client:
        return HttpClient.at(address, front="tui")

    async def knock() -> None:
        client = await connect()
        try:
            await client.status()
        finally:
            await client.close()

    asyncio.run(knock())  # what is wrong with the address is a sentence, not a screen
    return _after_screen(_run_app(connect, "attached", address), settings, None)


def _show(settings: Settings, engine: EngineThread | None) -> int:
    async def connect() -> Client:
        from cronpilot.client.http import HttpClient

        if engine is not None:
            await asyncio.to_thread(engine.start)
        return HttpClient.over_socket(settings.state_dir / SOCKET_NAME, front="tui")

    role: Literal["owner", "attached"] = "attached" if engine is None else "owner"
    return _after_screen(_run_app(connect, role, str(settings.state_dir)), settings, engine)


def _run_app(
    connect: Callable[[], Awaitable[Client]], role: Literal["owner", "attached"], where: str
) -> Leave:
    from cronpilot.tui.app import CronPilotApp
    from cronpilot.tui.terminal import run_app

    return run_app(
        CronPilotApp(
            connect, role=role, host=socket.gethostname(), state_dir=where,
            clock=lambda: datetime.now(UTC),
        )
    )  # fmt: skip


def _after_screen(left: Leave, settings: Settings, engine: EngineThread | None) -> int:
    """What becomes of the engine when its screen is gone."""
    from cronpilot.tui.leave import Leave

    if engine is None:
        return 1 if left is Leave.CRASHED else 0
    match left:
        case Leave.HANGUP:
            _carry_on(engine)
        case Leave.DETACH | Leave.CRASHED:
            engine.stop()
            _detach(settings, engine.tasks_file)
        case _:
            engine.stop()
            if left is Leave.STOP:
                print("The scheduler has stopped. Running tasks go on.")
    return 1 if left is Leave.CRASHED else 0


def _carry_on(engine: EngineThread) -> None:
    """The terminal is lost: go on without a screen until somebody ends the engine."""
    ending = threading.Thread(target=engine.stop, daemon=True)
    signal.signal(signal.SIGTERM, lambda *_: ending.start() if not ending.ident else None)
    log.warning("The terminal is gone; the engine goes on (pid %s)", os.getpid())
    engine.go_on_alone()
    engine.join()


def _detach(settings: Settings, tasks_file: Path | None) -> None:
    """Hand over to an engine of its own session, and say where it is."""
    # Nobody turns engine.log over for it: it gets no line for each run.
    arguments = ["--headless", "--log-level", "warning", "--state-dir", str(settings.state_dir)]
    if settings.config_file is not None:
        arguments += ["--config", str(settings.config_file)]
    if tasks_file is not None:
        arguments += ["--tasks", str(tasks_file)]
    with (settings.state_dir / "engine.log").open("ab") as output:
        engine = subprocess.Popen(
            [sys.executable, "-m", "cronpilot", *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            cwd=settings.state_dir,
        )  # fmt: skip
    if _wait_for_answer(settings.state_dir / SOCKET_NAME, ANSWER_S):
        print(f"The scheduler keeps running in the background (pid {engine.pid}).")
        print("Come back with: cronpilot    End it with: cronpilot shutdown")
    else:
        print(
            f"The background engine does not answer; see {settings.state_dir / 'engine.log'}.",
            file=sys.stderr,
        )


# --- odds ----------------------------------------------------------------------------------------


def _refuse_platform() -> None:
    problem = unsupported_platform()
    if problem is not None:
        raise UsageProblem(problem)


def _ask_on_terminal() -> Callable[[str], bool] | None:
    """A yes-no question for whoever sits there; None when nobody does."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(question: str) -> bool:
        print(question, end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    return ask


def _log_to_file(state_dir: Path) -> None:
    path = state_dir / "engine.log"
    path.touch(mode=0o600, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOG_COPIES)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    _use(handler)


def _use(handler: logging.Handler) -> None:
    root = logging.getLogger()
    root.handlers = [handler]  # nothing else may write on the screen
    root.setLevel(logging.WARNING)
