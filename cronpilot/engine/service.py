"""The engine as a service: what systemd is told, and what it is not told when a part is stuck.

The protocol is that of sd_notify(3): datagrams of NAME=value lines to the socket that
NOTIFY_SOCKET names.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING

from cronpilot.domain.text import clean
from cronpilot.errors import StorageProblem

if TYPE_CHECKING:
    from cronpilot.engine.engine import Engine

log = logging.getLogger("cronpilot.service")

START_US = 600_000_000  # how long a start may take
STATUS_S = 30.0  # how often the line of `systemctl status` is made anew


class ServiceManager:
    """Whoever started us and wants to know; nobody, and nothing is sent, without NOTIFY_SOCKET."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        """Takes its variables out of `environ`: they are for us, not for the keeper."""
        self._address = environ.pop("NOTIFY_SOCKET", "")
        watchdog_us = environ.pop("WATCHDOG_USEC", "")
        whose = environ.pop("WATCHDOG_PID", "")
        ours = whose in ("", str(os.getpid()))
        self.watchdog_s = int(watchdog_us) / 1e6 if watchdog_us.isdigit() and ours else None
        """Within how many seconds it wants a sign of life; None: it does not watch."""

    @property
    def is_there(self) -> bool:
        """Whether anybody listens."""
        return self._address.startswith(("/", "@"))

    def tell(self, **words: str | int) -> None:
        """Send these words; that nobody hears them is a line of the log, no more."""
        if not self.is_there:
            return
        message = "\n".join(f"{name}={value}" for name, value in words.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.setblocking(False)
                sock.connect("\0" + self._address[1:] if self._address[0] == "@" else self._address)
                sock.send(message.encode())
        except OSError as problem:
            log.warning("The service manager does not hear us: %s", problem)

    def ready(self, status: str) -> None:
        """Everything works; also the end of `reloading`."""
        self.tell(READY=1, STATUS=status)

    def reloading(self) -> None:
        """The configuration is being read again."""
        self.tell(RELOADING=1, MONOTONIC_USEC=time.monotonic_ns() // 1000)

    def starting(self) -> None:
        """Not ready yet: a large database may have to be copied and migrated first."""
        self.tell(STATUS="Opening the database.", EXTEND_TIMEOUT_USEC=START_US)

    def stopping(self) -> None:
        """The end has begun."""
        self.tell(STOPPING=1, STATUS="Stopping; running tasks go on.")


async def accompany(manager: ServiceManager, engine: Engine) -> None:
    """Tell `manager` of an engine that is ready, until it begins to stop."""
    telling = asyncio.create_task(
        keep_telling(manager, engine.stuck_part, lambda: status_line(engine))
    )
    try:
        await engine.stopped.wait()
        manager.stopping()
    finally:
        telling.cancel()


async def status_line(engine: Engine) -> str:
    """What `systemctl status` shows."""
    try:
        status = await engine.status()
    except StorageProblem as problem:
        return problem.problem
    line = f"{status.active_tasks:,} tasks, {status.running:,} running, {status.queued:,} waiting"
    if status.next_run_at is not None:
        line += f", next: {clean(status.next_task or '')} at {status.next_run_at:%F %H:%M:%SZ}"
    return line


async def keep_telling(
    manager: ServiceManager,
    stuck_part: Callable[[], Awaitable[str | None]],
    status: Callable[[], Awaitable[str]],
) -> None:
    """Signs of life at half of the time that the watchdog grants, until cancelled.

    It runs in the engine's loop, so a loop that is stuck falls silent by itself. For the other
    parts `stuck_part` answers: the name of one that does not do its work any more, or None.
    """
    if not manager.is_there:
        return
    pause_s = STATUS_S if manager.watchdog_s is None else min(STATUS_S, manager.watchdog_s / 2)
    told_at = 0.0
    while True:
        began = time.monotonic()
        stuck = await stuck_part()
        if stuck is not None:
            log.critical("No sign of life for the service manager: %s is stuck", stuck)
            manager.tell(STATUS=f"{stuck} is stuck.")
        elif manager.watchdog_s is not None:
            manager.tell(WATCHDOG=1)
        if stuck is None and began - told_at >= STATUS_S:
            told_at = began
            manager.tell(STATUS=await status())
        await asyncio.sleep(max(0.0, pause_s - (time.monotonic() - began)))
