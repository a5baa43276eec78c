"""A real engine in this process: real SQLite, real keeper, real commands."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from cronpilot.client.messages import RunQuery, RunView
from cronpilot.domain.run import Status
from cronpilot.engine.clock import Clock
from cronpilot.engine.engine import Engine, EngineConfig
from cronpilot.storage.migrate import prepare

from ..patience import PATIENCE_S

LONG = PATIENCE_S


async def until(condition: Callable[[], Awaitable[Any]], what: str = "it") -> Any:
    """What `condition` answers as soon as that is true."""
    deadline = asyncio.get_running_loop().time() + LONG
    while asyncio.get_running_loop().time() < deadline:
        if answer := await condition():
            return answer
        await asyncio.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {LONG} s")


class Bench:
    """A state directory with a tasks file, and engines that come and go on it."""

    def __init__(self, folder: Path) -> None:
        self.state_dir = folder / "state"
        self.state_dir.mkdir(mode=0o700)
        self.tasks_file = folder / "tasks.yaml"
        self.database = self.state_dir / "cronpilot.db"
        self.tasks()

    def tasks(self, *entries: str, head: str = "") -> None:
        """Write the tasks file; each entry is the YAML of one task without its dash."""
        body = "".join(
            "  - " + entry.strip().replace("\n", "\n    ") + "\n" for entry in entries
        )  # fmt: skip
        self.tasks_file.write_text(f"{head}\ntasks:\n{body}" if body else "tasks: []\n")

    @asynccontextmanager
    async def engine(self, *, clock: Clock | None = None, **config: Any) -> AsyncIterator[Engine]:
        """An engine on that directory, running; it watches the tasks file only if told to."""
        config.setdefault("watch", False)
        prepare(self.database)
        engine = Engine(
            EngineConfig(
                state_dir=self.state_dir, database=self.database, tasks_file=self.tasks_file,
                **{"timezone": "UTC", **config},
            ),
            clock,
        )  # fmt: skip
        await engine.start()
        try:
            yield engine
        finally:
            await engine.stop()

    def keeper_pid(self) -> int | None:
        """The keeper's pid, from its lock file."""
        try:
            return int((self.state_dir / "keeper.lock").read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return None

    def power_cut(self, pid: int) -> None:
        """The keeper, the wrapper and the command end at once, and nobody writes anything down."""
        self.kill_keeper()
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        for victim in (parent, pid):
            if victim > 1 and victim != os.getpid():
                os.kill(victim, signal.SIGKILL)

    def kill_keeper(self) -> None:
        """End the keeper, and with it nothing else."""
        if (keeper := self._keeper()) is not None:
            keeper.kill()

    def end(self) -> None:
        """End the keeper and all that it has started: a busy one would busy every other test."""
        if (keeper := self._keeper()) is None:
            return
        for process in [keeper, *keeper.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def _keeper(self) -> psutil.Process | None:
        with contextlib.suppress(psutil.NoSuchProcess):
            pid = self.keeper_pid()
            keeper = None if pid is None else psutil.Process(pid)
            if keeper is not None and str(self.state_dir) in keeper.cmdline():
                return keeper
        return None


@pytest.fixture
def bench(tmp_path: Path):
    """An empty state directory and an empty tasks file; nothing of it is left running."""
    made = Bench(tmp_path)
    yield made
    made.end()


def until_there(path: Path) -> str:
    """A command that goes on until that file is there: as long as a test wants, however busy the
    machine is."""
    return f"until test -e {path}; do sleep 0.05; done"


async def start(engine: Engine, name: str) -> RunView:
    """Start a task by hand."""
    task = await engine.find_task(name)
    return await engine.run_now(task.id, request_id=os.urandom(8).hex())


async def finished(engine: Engine, run_id: int) -> RunView:
    """That run, when it is over."""

    async def is_over() -> RunView | None:
        run = await engine.run(run_id)
        return run if run.status.is_final else None

    return await until(is_over, f"the end of run {run_id}")


async def reached(engine: Engine, run_id: int, status: Status) -> RunView:
    """That run, when it has that status."""

    async def has_it() -> RunView | None:
        run = await engine.run(run_id)
        return run if run.status is status else None

    return await until(has_it, f"{status} of run {run_id}")


async def history(engine: Engine, name: str) -> list[RunView]:
    """The runs of a task, oldest first."""
    task = await engine.find_task(name)
    return (await engine.runs(RunQuery(task_id=task.id, limit=200))).rows[::-1]


async def rows_of(engine: Engine, name: str, count: int) -> list[RunView]:
    """Its history, as soon as that has so many rows."""

    async def enough() -> list[RunView] | None:
        rows = await history(engine, name)
        return rows if len(rows) >= count else None

    rows: list[RunView] = await until(enough, f"{count} rows of {name}")
    return rows


async def log_of(engine: Engine, run_id: int) -> str:
    """All output of a run."""
    return (await engine.read_log(run_id)).data.decode()
