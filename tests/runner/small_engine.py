"""The smallest engine that keeps the executor's order of calls, with a dict for a database."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cronpilot.runner import (
    AttemptKey,
    Ended,
    Linked,
    Local,
    NeverStarted,
    Report,
    Started,
    StartOrder,
    Trouble,
)
from cronpilot.runner.keeper import record

from ..patience import PATIENCE_S as PATIENCE

TASK = 7


class SmallEngine:
    """`async with` it: linked inside, gone without a word outside. What it knows stays."""

    def __init__(self, state_dir: Path, installation_id: str) -> None:
        self.state_dir, self.id = state_dir, installation_id
        self.boot: str | None = None
        self.orders: dict[int, StartOrder] = {}  # the newest launch of each run
        self.asked_at: dict[AttemptKey, float] = {}
        self.started: dict[AttemptKey, Started] = {}
        self.ends: dict[int, Ended | NeverStarted] = {}
        self.reports: list[Report] = []
        self.links = 0
        self.executor: Local

    async def __aenter__(self) -> SmallEngine:
        self.executor = Local(self.state_dir, self.id, self._heard)
        self._task = asyncio.create_task(self.executor.run())
        await self.until(lambda: self.executor.alive)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def until(self, condition: Callable[[], Any], what: str = "") -> None:
        """Look every few milliseconds; meanwhile do the dispatcher's watchdog's work."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain {what} {self.reports[-5:]}"
            if self._task.done():
                self._task.result()
            self._watchdog()
            await asyncio.sleep(0.005)

    def start(self, argv: list[str] | str, **fields: Any) -> int:
        """Start a command (text: with sh -c) as a new run; its id."""
        run = len(self.orders) + 1
        words = ["/bin/sh", "-c", argv] if isinstance(argv, str) else argv
        env = {"PATH": os.environ["PATH"]} | fields.pop("env", {})
        self._start(
            StartOrder(
                AttemptKey(run, 1), TASK, words, env, fields.pop("working_dir", "/"), **fields
            )
        )
        return run

    async def run(self, argv: list[str] | str, **fields: Any) -> Ended:
        return await self.end_of(self.start(argv, **fields))

    async def end_of(self, run: int) -> Ended:
        await self.until(lambda: run in self.ends, f"for the end of run {run}")
        end = self.ends[run]
        assert isinstance(end, Ended), end
        return end

    async def begun(self, run: int) -> int:
        """Wait until its command runs; its wrapper's pid."""
        await self.until(lambda: self.command_of(run), f"for run {run} to begin")
        return self.command_of(run).parent

    async def says(self, run: int, word: str) -> None:
        """Wait until its command has written that."""
        await self.until(
            lambda: self.log_path(run).exists() and word in self.log(run),
            f"for {word} of run {run}",
        )

    def command_of(self, run: int) -> Any:
        """Who the S line names, once it has become the command."""
        path = self.state_dir / "records" / f"{run}.{self.key(run).launch}"
        with contextlib.suppress(OSError):
            command = record.Record(path.read_text()).command
            name = Path(f"/proc/{command.pid}/cmdline").read_bytes() if command else b""
            return command if command and b"cronpilot-run" not in name else None
        return None

    def key(self, run: int) -> AttemptKey:
        return self.orders[run].key

    def log(self, run: int) -> str:
        return self.log_path(run).read_text(errors="replace")

    def log_path(self, run: int) -> Path:
        return self.state_dir / "logs" / str(TASK) / f"{run}.log"

    def records(self) -> list[str]:
        return sorted(path.name for path in (self.state_dir / "records").iterdir())

    def troubles(self) -> list[Trouble]:
        return [report for report in self.reports if isinstance(report, Trouble)]

    def _start(self, order: StartOrder) -> None:
        self.orders[order.key.run_id] = order
        self.asked_at[order.key] = time.monotonic()
        self.executor.start(order)

    def _heard(self, report: Report) -> None:
        self.reports.append(report)
        match report:
            case Linked(live):
                self.links += 1
                for run, order in self.orders.items():
                    if run not in self.ends and order.key not in live:
                        self.executor.settle(order.key, boot_id=self.boot)
            case Started(key):
                self.started.setdefault(key, report)
            case NeverStarted(key, _, retry):
                order = self.orders[key.run_id]
                if not retry or key.launch > 20:
                    self.ends[key.run_id] = report
                elif order.key == key:
                    again = AttemptKey(key.run_id, key.launch + 1)
                    pause = 0.01 * 2 ** min(key.launch, 6)
                    asyncio.get_running_loop().call_later(
                        pause, self._start, order._replace(key=again)
                    )
            case Ended(key):
                self.ends.setdefault(key.run_id, report)
                self.executor.forget([AttemptKey(key.run_id, n) for n in range(1, key.launch + 1)])

    def _watchdog(self) -> None:
        now = time.monotonic()
        for run, order in list(self.orders.items()):
            key = order.key
            overdue = run not in self.ends and key not in self.started
            if overdue and self.executor.alive and now - self.asked_at[key] > 1:
                self.asked_at[key] = now
                self.executor.settle(key, boot_id=self.boot)


def until_there(path: Path) -> str:
    """A command that goes on until that file is there: as long as a test wants, however busy the
    machine is."""
    return f"until test -e {path}; do sleep 0.05; done"


def keeper_pid(state_dir: Path) -> int | None:
    """The living keeper: the pid in its lock file counts only while the lock is held."""
    try:
        fd = os.open(state_dir / "keeper.lock", os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(fd, 20, 0) or 0) or None
    finally:
        os.close(fd)
    return None


def kill_keeper(state_dir: Path) -> None:
    pid = keeper_pid(state_dir)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def living(installation_id: str) -> list[int]:
    """All processes that carry the cookie of a run of this installation."""
    mark, found = f"\0CRONPILOT_RUN={installation_id}-".encode(), []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if mark in b"\0" + Path(f"/proc/{name}/environ").read_bytes():
                found.append(int(name))
    return found
