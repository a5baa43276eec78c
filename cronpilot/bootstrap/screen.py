"""The screen: the client of an engine that runs, or of one that starts behind it."""

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
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from cronpilot.bootstrap.clients import LOOK_S, PATIENCE_S, wait_for_answer
from cronpilot.bootstrap.engine_thread import EngineThread
from cronpilot.bootstrap.garbage import look_through_portions
from cronpilot.bootstrap.surroundings import (
    ask_on_terminal,
    log_to_file,
    make_state_dir,
    refuse_platform,
)
from cronpilot.client.sockets import SOCKET_NAME, answers
from cronpilot.domain.access import OWNER, Identity, Role
from cronpilot.domain.text import clean
from cronpilot.engine.choosing import choose_tasks_file
from cronpilot.errors import UsageProblem

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.client.messages import TaskView
    from cronpilot.client.remote import Remote
    from cronpilot.config.places import Places
    from cronpilot.storage.lock import DatabaseLock
    from cronpilot.tui.last_known import LastKnown
    from cronpilot.tui.leave import Leave

ANSWER_S = 60.0  # for a detached engine to answer, while it lives: a busy machine is no failure

log = logging.getLogger("cronpilot")


def run_screen(settings: Places, remote: Remote | None = None) -> int:
    """The screen, with the engine behind it if none runs yet. Exit code."""
    from cronpilot.tui.terminal import screen_problem

    refuse_platform()
    problem = screen_problem(os.environ, sys.stdin, sys.stdout)
    if problem is not None:
        raise UsageProblem(problem)
    if remote is not None:
        return _show_other(settings, remote)
    make_state_dir(settings)
    from cronpilot.storage.lock import DatabaseLock

    lock = DatabaseLock(settings.database)
    if not lock.take() and somebody_answers(lock, settings.state_dir / SOCKET_NAME):
        return _show(settings, None)
    settings = choose_tasks_file(settings, ask_on_terminal())
    log_to_file(settings.state_dir)
    if settings.tasks_file is not None:
        print(f"cronpilot: tasks from {clean(str(settings.tasks_file))}", file=sys.stderr)
    return _show(settings, EngineThread(settings, lock))


def somebody_answers(lock: DatabaseLock, path: Path) -> bool:
    """Whether the engine that holds the database answers; False: it has ended, the lock is ours.

    Right after the machine has started, or while it is busy, an engine takes its time for both.
    Raises StateDirectoryBusy: it does neither within a minute.
    """
    begun, said = time.monotonic(), False
    while not answers(path):
        if lock.take():
            return False
        waited = time.monotonic() - begun
        if waited > ANSWER_S:
            raise lock.silent()
        if waited > PATIENCE_S and not said:
            said = True
            print(f"cronpilot: {lock.silent().problem} Waiting for it ...", file=sys.stderr)
        time.sleep(LOOK_S)
    return True


def _show_other(settings: Places, remote: Remote) -> int:
    """The screen of the engine that answers there; none is started here."""

    async def connect() -> Client:
        return remote.open("tui")

    identity = knock(remote)  # what is wrong with the address is a sentence, not a screen
    left = _run_app(
        connect, "attached", remote.address, settings, host=remote.host, identity=identity
    )  # fmt: skip
    return _after_screen(left, settings, None)


def knock(remote: Remote) -> Identity:
    """As whom one comes in there. Raises what is wrong with the address or the password."""
    from cronpilot.client.plain_client import NobodyThere, PlainClient, Unsure

    if remote.socket is not None:
        try:
            me = PlainClient(remote.socket).me()  # the models would double the time to first paint
            return Identity(me.name, Role(me.role))
        except (NobodyThere, Unsure, AttributeError, ValueError):
            pass  # the whole client has the words for it

    async def ask() -> Identity:
        async with remote.open("tui") as client:
            said = await client.me()
            return Identity(said.name, said.role)

    return asyncio.run(ask())


def _show(settings: Places, engine: EngineThread | None) -> int:
    async def connect() -> Client:
        from cronpilot.client.http import HttpClient

        if engine is not None:
            await asyncio.to_thread(engine.start)
        return HttpClient.over_socket(settings.state_dir / SOCKET_NAME, front="tui")

    role: Literal["owner", "attached"] = "attached" if engine is None else "owner"
    known = None if engine is None else what_is_known(settings)
    left = _run_app(connect, role, str(settings.state_dir), settings, last_known=known)
    return _after_screen(left, settings, engine)


def what_is_known(settings: Places) -> LastKnown:
    """What the database says while its engine starts. Nothing is loaded before it is asked."""
    from cronpilot.tui.last_known import LastKnown

    def tasks(offset: int, limit: int) -> tuple[Sequence[TaskView], int] | None:
        from cronpilot.engine.plain_reading import last_known_tasks

        found = last_known_tasks(settings.database, offset, limit)
        return None if found is None else (cast("list[TaskView]", found[0]), found[1])

    return LastKnown(tasks, settings.timezone)


def _run_app(
    connect: Callable[[], Awaitable[Client]],
    role: Literal["owner", "attached"],
    where: str,
    settings: Places,
    *,
    host: str = "",
    identity: Identity = OWNER,
    last_known: LastKnown | None = None,
) -> Leave:
    from cronpilot.tui.app import CronPilotApp
    from cronpilot.tui.options import ScreenOptions
    from cronpilot.tui.terminal import run_app

    options = ScreenOptions(
        theme=settings.tui.theme, ascii=settings.tui.ascii, mouse=settings.tui.mouse,
        keys_file=settings.keys_file, memory_file=settings.state_dir / "screen.json",
        look_for_cron=role == "owner",
    )  # fmt: skip

    async def connect_at_last() -> Client:
        client = await connect()
        look_through_portions()
        return client

    return run_app(
        CronPilotApp(
            connect_at_last, role=role, host=host or socket.gethostname(), state_dir=where,
            clock=lambda: datetime.now(UTC), options=options, identity=identity,
            last_known=last_known,
        )
    )  # fmt: skip


def _after_screen(left: Leave, settings: Places, engine: EngineThread | None) -> int:
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


def _detach(settings: Places, tasks_file: Path | None) -> None:
    """Hand over to an engine of its own session, and say where it is."""
    # Nobody turns engine.log over for it: it gets no line for each run.
    arguments = ["--headless", "--log-level", "warning", "--state-dir", str(settings.state_dir)]
    if settings.config_file is not None:
        arguments += ["--config", str(settings.config_file)]
    if tasks_file is not None:
        arguments += ["--tasks", str(tasks_file)]
    with (settings.state_dir / "engine.log").open("ab") as output:
        engine = subprocess.Popen(
            [sys.executable, "-P", "-m", "cronpilot", *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
            cwd=settings.state_dir,
        )  # fmt: skip
    if _begins_to_answer(engine, settings.state_dir / SOCKET_NAME):
        print(f"The scheduler keeps running in the background (pid {engine.pid}).")
        print("Come back with: cronpilot    End it with: cronpilot shutdown")
    else:
        print(
            f"The background engine does not answer; see {settings.state_dir / 'engine.log'}.",
            file=sys.stderr,
        )


def _begins_to_answer(engine: subprocess.Popen[bytes], path: Path) -> bool:
    deadline = time.monotonic() + ANSWER_S
    while engine.poll() is None and time.monotonic() < deadline:
        if wait_for_answer(path, 0.5):
            return True
    return False
