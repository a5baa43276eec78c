"""What a fake knows, and who listens to it: the ground under all parts of `FakeClient`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from cronpilot.client.fake_queries import is_failing
from cronpilot.client.fake_rows import NOON
from cronpilot.client.incidents import IncidentStory
from cronpilot.client.messages import (
    Banner,
    EngineInfo,
    EngineStatus,
    Event,
    Gap,
    LastRun,
    RunChanged,
    RunView,
    StatusChanged,
    TaskChanged,
    TaskRemoved,
    TaskView,
)
from cronpilot.domain.run import COUNTED, HOLDS_SLOT, Status
from cronpilot.errors import NoEngine


class FakeStore:
    """Rows in dictionaries; whatever is put into them reaches everyone who listens.

    Attributes:
        calls: what was asked that changes something, oldest first: `("run_now", 3)`.
        pools: how many runs of each pool may go at once.
        recipients: whom a test message reaches; one that contains `refused` does not take it.
    """

    def __init__(
        self,
        tasks: Iterable[TaskView] = (),
        runs: Iterable[RunView] = (),
        logs: Mapping[int, bytes] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        timezone: str = "UTC",
        max_workers: int = 10,
        pools: Mapping[str, int] | None = None,
        role: Literal["screen", "headless"] = "screen",
        banners: Iterable[Banner] = (),
    ) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self._clock = clock
        self._tasks = {task.id: task for task in tasks}
        self._runs = {run.id: run for run in runs}
        self._logs = {run_id: bytearray(data) for run_id, data in (logs or {}).items()}
        self._incidents: dict[int, IncidentStory] = {}
        self.recipients: list[str] = []
        self._told: list[Event] = []
        self._listeners: set[asyncio.Queue[Event | None]] = set()
        self._grown = asyncio.Event()  # set, and replaced, whenever a log may have grown
        self._lost = False
        self._paused = False
        self._paused_until: datetime | None = None
        self._timezone = timezone
        self._max_workers, self.pools = max_workers, pools or {}
        self._banners = list(banners)
        self._engine = EngineInfo(
            id="fake", pid=1, version="0.1", host="example", started_at=clock(),
            state_dir="/var/lib/cronpilot", database="/var/lib/cronpilot/cronpilot.db", role=role,
        )  # fmt: skip

    # --- what only a fake can do -----------------------------------------------------------------

    def lose(self) -> None:
        """From now on nobody answers, and every stream breaks off."""
        self._lost = True
        for listener in self._listeners:
            listener.put_nowait(None)
        self._wake_followers()

    def come_back(self) -> None:
        """The engine answers again."""
        self._lost = False

    def put_task(self, task: TaskView) -> None:
        """Add or replace a task."""
        self._tasks[task.id] = task
        self._emit(TaskChanged(task=task))
        self._emit_status()

    def remove_task(self, task_id: int) -> None:
        """Take a task away, as archiving does."""
        del self._tasks[task_id]
        self._emit(TaskRemoved(task_id=task_id))
        self._emit_status()

    def put_run(self, run: RunView) -> RunView:
        """Add or replace a run; its task's counts and last run follow."""
        self._runs[run.id] = run
        self._emit(RunChanged(run=run))
        if run.task_id in self._tasks:
            self._tasks[run.task_id] = self._with_counts(self._tasks[run.task_id])
            self._emit(TaskChanged(task=self._tasks[run.task_id]))
        self._emit_status()
        self._wake_followers()
        return run

    def finish(
        self,
        run_id: int,
        status: Status = Status.SUCCESS,
        *,
        exit_code: int | None = 0,
        **fields: Any,
    ) -> RunView:
        """End a run now."""
        run, now = self._runs[run_id], self._clock()
        duration = (now - run.started_at).total_seconds() if run.started_at else None
        ending = {
            "status": status, "exit_code": exit_code, "finished_at": now, "pid": None,
            "duration_s": duration, "log_size": len(self._logs.get(run_id, b"")), **fields,
        }  # fmt: skip
        return self.put_run(run.model_copy(update=ending))

    def append_log(self, run_id: int, data: bytes) -> None:
        """The run prints something."""
        self._logs.setdefault(run_id, bytearray()).extend(data)
        self._wake_followers()

    def set_banners(self, *banners: Banner) -> None:
        """What the engine warns of from now on."""
        self._banners = list(banners)
        self._emit_status()

    def answer(self) -> None:
        """Raise NoEngine while nobody answers."""
        if self._lost:
            raise NoEngine(self._engine.state_dir)

    def now(self) -> datetime:
        """What its clock says."""
        return self._clock()

    # --- whoever listens -------------------------------------------------------------------------

    async def events(self, *, after: str | None = None) -> AsyncIterator[Event]:
        self.answer()
        listener: asyncio.Queue[Event | None] = asyncio.Queue()
        for missed in self._since(after):
            listener.put_nowait(missed)
        self._listeners.add(listener)
        try:
            while (event := await listener.get()) is not None:
                yield event
            raise NoEngine(self._engine.state_dir)
        finally:
            self._listeners.discard(listener)

    def _since(self, after: str | None) -> list[Event]:
        if after is None:
            return []
        ids = [event.id for event in self._told]
        return self._told[ids.index(after) + 1 :] if after in ids else [Gap()]

    def _emit(self, event: Event) -> None:
        event = event.model_copy(update={"id": f"{self._engine.id}:{len(self._told) + 1}"})
        self._told.append(event)
        for listener in self._listeners:
            listener.put_nowait(event)

    def _emit_status(self) -> None:
        self._emit(StatusChanged(status=self._status()))

    def _wake_followers(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    # --- figures ---------------------------------------------------------------------------------

    def _with_counts(self, task: TaskView) -> TaskView:
        mine = [run for run in self._runs.values() if run.task_id == task.id]
        statuses = [run.status for run in mine]
        counted = [status for status in statuses if status in COUNTED]
        successes = counted.count(Status.SUCCESS)
        newest = max(mine, key=lambda run: run.id)
        changes = {
            "running": sum(status in HOLDS_SLOT for status in statuses),
            "queued": statuses.count(Status.QUEUED),
            "retrying": statuses.count(Status.RETRYING),
            "runs": len(counted),
            "successes": successes,
            "success_rate": successes / len(counted) if counted else None,
            "last_verdicts": [status for status in statuses if status.is_final][-20:],
            "last_run": LastRun.model_validate(
                newest.model_dump(include=set(LastRun.model_fields))
            ),
        }
        return task.model_copy(update=changes)

    def _status(self) -> EngineStatus:
        tasks = self._tasks.values()
        statuses = [run.status for run in self._runs.values()]
        planned = [task for task in tasks if task.next_run_at is not None]
        soonest = min(planned, key=lambda task: (task.next_run_at or NOON, task.id), default=None)
        return EngineStatus(
            total_tasks=len(tasks),
            active_tasks=sum(task.active for task in tasks),
            scheduled_tasks=len(planned),
            running=sum(status in HOLDS_SLOT for status in statuses),
            queued=statuses.count(Status.QUEUED),
            retrying=statuses.count(Status.RETRYING),
            failing_tasks=sum(is_failing(task) for task in tasks),
            open_incidents=sum(one.closed_at is None for one in self._incidents.values()),
            max_workers=self._max_workers,
            paused=self._paused,
            paused_until=self._paused_until,
            timezone=self._timezone,
            next_run_at=soonest.next_run_at if soonest else None,
            next_task=soonest.name if soonest else None,
            engine=self._engine,
            banners=self._banners,
        )
