"""A client with an engine made of dictionaries: for tests, demonstrations and screenshots."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from cronpilot.client.fake_agenda import FakeAgenda
from cronpilot.client.fake_definitions import Definitions
from cronpilot.client.fake_health import fake_health
from cronpilot.client.fake_incidents import FakeIncidents
from cronpilot.client.fake_live import FakeLive
from cronpilot.client.fake_logs import FakeLogs
from cronpilot.client.fake_quiet import FakeQuiet
from cronpilot.client.fake_users import FakeUsers, pool_views
from cronpilot.client.fake_why import Explanations
from cronpilot.client.incidents import IncidentStory
from cronpilot.client.messages import (
    AttemptView,
    Banner,
    EngineInfo,
    EngineStatus,
    Event,
    FireTime,
    Gap,
    Health,
    LastRun,
    LogChunk,
    ReloadResult,
    RunChanged,
    RunPage,
    RunQuery,
    RunView,
    StatusChanged,
    TaskChanged,
    TaskPage,
    TaskQuery,
    TaskRemoved,
    TaskView,
)
from cronpilot.client.protocol import StopSignal
from cronpilot.client.users import PoolView
from cronpilot.domain.run import ACTIVE, BAD, COUNTED, HOLDS_SLOT, Reason, Status, Trigger
from cronpilot.domain.schedule import ScheduleType
from cronpilot.errors import NoEngine, NotFound

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
"""A Wednesday far from any clock change: when the examples made here take place."""

_SIGNAL_NUMBERS: Mapping[StopSignal, int] = {"TERM": 15, "KILL": 9, "INT": 2}


def make_task(id: int = 1, name: str = "backup-db", **fields: Any) -> TaskView:  # noqa: A002
    """A daily task that has never run; any field of TaskView may be given."""
    given: dict[str, Any] = {
        "command": "true",
        "schedule": "daily 02:30",
        "schedule_type": ScheduleType.DAILY,
        "schedule_config": {"hour": 2, "minute": 30},
        "schedule_words": "every day at 02:30",
        "timezone": "UTC",
        "next_run_at": datetime(2026, 3, 5, 2, 30, tzinfo=UTC),
        **fields,
    }
    return TaskView(id=id, name=name, **given)


def make_run(id: int = 1, **fields: Any) -> RunView:  # noqa: A002
    """A run of task 1 that has been going since noon; any field of RunView may be given."""
    given: dict[str, Any] = {
        "task_id": 1,
        "task_name": "backup-db",
        "trigger": Trigger.SCHEDULE,
        "scheduled_for": NOON,
        "status": Status.RUNNING,
        "attempts": 1,
        "queued_at": NOON,
        "started_at": NOON,
        "pid": 4242,
        **fields,
    }
    return RunView(id=id, **given)


class FakeClient(FakeAgenda, FakeQuiet, FakeLive, FakeIncidents):
    """The whole `Client` protocol in memory.

    Changes made through it, or by the methods that only it has (`put_task`, `put_run`, `finish`,
    `append_log`), reach everyone who listens. Between `lose()` and `come_back()` nobody answers.

    Attributes:
        calls: what was asked that changes something, oldest first: `("run_now", 3)`.
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
        self.why = Explanations(self, clock).why
        self._tasks = {task.id: task for task in tasks}
        self._runs = {run.id: run for run in runs}
        self._logs = {run_id: bytearray(data) for run_id, data in (logs or {}).items()}
        looking = FakeLogs(self)
        self.search_log, self.compare = looking.search_log, looking.compare
        self._requests: dict[str, int] = {}
        self._told: list[Event] = []
        self._listeners: set[asyncio.Queue[Event | None]] = set()
        self._grown = asyncio.Event()  # set, and replaced, whenever a log may have grown
        self._lost = False
        self._paused = False
        self._paused_until: datetime | None = None
        self._timezone = timezone
        self._max_workers, self.pools = max_workers, pools or {}
        self._banners = list(banners)
        self._incidents: dict[int, IncidentStory] = {}
        self.recipients: list[str] = []
        people = FakeUsers(clock)
        self.me, self.users, self.audit = people.me, people.users, people.audit
        self.add_user, self.change_user = people.add_user, people.change_user
        self.remove_user = people.remove_user
        self.definitions = Definitions(self, self._tasks, timezone)
        self.create_task = self.definitions.create_task
        self.change_task = self.definitions.change_task
        self.delete_task = self.definitions.delete_task
        self.revisions = self.definitions.revisions
        self.undo = self.definitions.undo
        self.export = self.definitions.export
        self.differences = self.definitions.differences
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

    # --- the protocol ----------------------------------------------------------------------------

    async def status(self) -> EngineStatus:
        self.answer()
        return self._status()

    async def health(self) -> Health:
        self.answer()
        health = fake_health(
            self._status(), self._tasks.values(), self._runs.values(), self._clock()
        )
        return health.model_copy(update={"incidents": self.open_incidents()})

    async def tasks(self, query: TaskQuery) -> TaskPage:
        self.answer()
        rows = [task for task in self._tasks.values() if _matches(task, query)]
        rows.sort(key=_sort_key(query), reverse=query.descending)
        rows.sort(key=lambda task: _has_no_key(task, query))
        total = len(rows)
        if query.after is not None:
            ids = [task.id for task in rows]
            if query.after not in ids:
                raise NotFound("task", str(query.after))
            rows = rows[ids.index(query.after) + 1 :]
        return TaskPage(rows=rows[query.offset : query.offset + query.limit], total=total)

    async def pool_slots(self) -> list[PoolView]:
        self.answer()
        return pool_views(self._runs, self._max_workers, self.pools)

    async def task(self, task_id: int) -> TaskView:
        self.answer()
        if task_id not in self._tasks:
            raise NotFound("task", str(task_id))
        return self._tasks[task_id]

    async def find_task(self, name: str, *, archived: bool = False) -> TaskView:
        self.answer()
        for task in self._tasks.values():
            if task.name == name:
                return task
        if name.isascii() and name.isdigit() and int(name) in self._tasks:
            return self._tasks[int(name)]
        if archived and (gone := self.definitions.archived(name)) is not None:
            return gone
        raise NotFound("task", name)

    async def fire_times(self, *, task_id: int | None = None, limit: int = 20) -> list[FireTime]:
        """One line a task: a fake plans no further than `next_run_at`."""
        self.answer()
        planned = [
            FireTime(task_id=task.id, task_name=task.name, scheduled_for=task.next_run_at,
                     starts_at=task.next_run_at, timezone=task.timezone)
            for task in self._tasks.values()
            if task.next_run_at is not None and task_id in (None, task.id)
        ]  # fmt: skip
        return sorted(planned, key=lambda fire: (fire.starts_at, fire.task_id))[:limit]

    async def runs(self, query: RunQuery) -> RunPage:
        self.answer()
        rows = [
            run
            for run in self._runs.values()
            if query.task_id in (None, run.task_id)
            and (not query.status or run.status in query.status)
            and (not query.bad or run.status in BAD)
            and all(word in run.task_name.casefold() for word in query.text.casefold().split())
            and (query.since is None or run.queued_at >= query.since)
            and (query.until is None or run.queued_at < query.until)
            and not (query.active and run.status.is_final)
            and (query.before is None or run.id < query.before)
            and (query.after is None or run.id > query.after)
        ]
        rows.sort(key=lambda run: run.id, reverse=not query.active)
        page = rows if query.active else rows[: query.limit]
        if query.after is not None:
            page = rows[-query.limit :]
        listed = [run.model_copy(update={"environment": None}) for run in page]
        return RunPage(rows=listed, total=len(rows))

    async def run(self, run_id: int) -> RunView:
        self.answer()
        if run_id not in self._runs:
            raise NotFound("run", str(run_id))
        return self._runs[run_id]

    async def attempts(self, run_id: int) -> list[AttemptView]:
        """Only the newest one: a fake remembers no other."""
        run = await self.run(run_id)
        if not run.attempts:
            return []
        return [
            AttemptView(
                number=run.attempts, launch=run.attempts, requested_at=run.queued_at,
                started_at=run.started_at, finished_at=run.finished_at, duration_s=run.duration_s,
                pid=run.pid, exit_code=run.exit_code, signal=run.signal,
                outcome=run.status if run.status.is_final else None,
            )
        ]  # fmt: skip

    async def test_task(
        self,
        task_id: int,
        *,
        spec: dict[str, Any] | None = None,
        as_scheduled: bool = False,
        request_id: str,
    ) -> RunView:
        task = await self.task(task_id)
        if request_id in self._requests:
            return self._runs[self._requests[request_id]]
        self.calls.append(("test_task", task_id, spec, as_scheduled))
        now, run_id = self._clock(), max(self._runs, default=0) + 1
        self._requests[request_id] = run_id
        return self.put_run(
            make_run(
                run_id, task_id=task_id, task_name=task.name, trigger=Trigger.TEST,
                scheduled_for=None, queued_at=now, started_at=now, pid=40_000 + run_id,
            )
        )  # fmt: skip

    async def run_now(self, task_id: int, *, request_id: str) -> RunView:
        task = await self.task(task_id)
        if request_id in self._requests:
            return self._runs[self._requests[request_id]]
        self.calls.append(("run_now", task_id))
        now, run_id = self._clock(), max(self._runs, default=0) + 1
        self._requests[request_id] = run_id
        verdict: dict[str, Any] = {"started_at": now, "pid": 40_000 + run_id}
        if task.running + task.queued + task.retrying:
            verdict = {"status": Status.SKIPPED, "reason": Reason.ALREADY_RUNNING, "attempts": 0,
                       "started_at": None, "pid": None, "finished_at": now}  # fmt: skip
        given = {"task_id": task_id, "task_name": task.name, "trigger": Trigger.MANUAL,
                 "scheduled_for": None, "queued_at": now, "usual_s": task.average_duration_s,
                 **verdict}  # fmt: skip
        return self.put_run(make_run(run_id, **given))

    async def stop_run(self, run_id: int, *, signal: StopSignal = "TERM") -> RunView:
        run = await self.run(run_id)
        self.calls.append(("stop_run", run_id, signal))
        if run.status.is_final:
            return run
        return self.finish(run_id, Status.STOPPED, exit_code=None, reason=Reason.USER,
                           signal=_SIGNAL_NUMBERS[signal])  # fmt: skip

    async def pause_task(
        self, task_id: int, *, until: datetime | None = None, run_after: bool = False
    ) -> TaskView:
        task = await self.task(task_id)
        self.calls.append(("pause_task", task_id))
        self.put_task(task.model_copy(update={"paused_at": self._clock(), "paused_until": until,
                                              "run_after_pause": run_after}))  # fmt: skip
        return self._tasks[task_id]

    async def resume_task(self, task_id: int) -> TaskView:
        task = await self.task(task_id)
        self.calls.append(("resume_task", task_id))
        self.put_task(task.model_copy(update={"paused_at": None, "paused_until": None,
                                              "run_after_pause": False}))  # fmt: skip
        return self._tasks[task_id]

    async def pause_scheduler(self, *, until: datetime | None = None) -> EngineStatus:
        return self._set_paused(True, until)

    async def resume_scheduler(self) -> EngineStatus:
        return self._set_paused(False)

    async def reload(self) -> ReloadResult:
        self.answer()
        self.calls.append(("reload",))
        return ReloadResult(file=None)

    async def backup(self, path: str) -> str:
        self.answer()
        self.calls.append(("backup", path))
        return str(Path(path).absolute())

    async def shutdown(self, *, with_tasks: bool = False) -> None:
        self.answer()
        self.calls.append(("shutdown", with_tasks))
        self.lose()

    async def read_log(self, run_id: int, *, offset: int = 0, limit: int = 1 << 18) -> LogChunk:
        run = await self.run(run_id)
        log = self._logs.get(run_id, bytearray())
        start = max(0, len(log) + offset) if offset < 0 else min(offset, len(log))
        data = bytes(log[start : start + limit])
        ended = run.status.is_final and start + len(data) >= len(log)
        return LogChunk(run_id=run_id, offset=start, size=len(log), data=data, ended=ended)

    async def follow_log(self, run_id: int, *, offset: int = 0) -> AsyncIterator[LogChunk]:
        while True:
            grown = self._grown
            chunk = await self.read_log(run_id, offset=offset)
            if chunk.data or chunk.ended:
                yield chunk
            if chunk.ended:
                return
            offset = chunk.end
            if offset >= chunk.size:
                await grown.wait()

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

    async def close(self) -> None:
        self._wake_followers()

    # --- inside ----------------------------------------------------------------------------------

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

    def _set_paused(self, paused: bool, until: datetime | None = None) -> EngineStatus:
        self.answer()
        self._paused_until = until
        self.calls.append(("pause_scheduler" if paused else "resume_scheduler",))
        self._paused = paused
        self._emit_status()
        return self._status()

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
            failing_tasks=sum(_is_failing(task) for task in tasks),
            open_incidents=len(self.open_incidents()),
            max_workers=self._max_workers,
            paused=self._paused,
            paused_until=self._paused_until,
            timezone=self._timezone,
            next_run_at=soonest.next_run_at if soonest else None,
            next_task=soonest.name if soonest else None,
            engine=self._engine,
            banners=self._banners,
        )


def _is_failing(task: TaskView) -> bool:
    counted = [status for status in task.last_verdicts if status in COUNTED]
    if counted:
        return counted[-1] in BAD
    return task.last_run is not None and task.last_run.status in BAD


def _matches(task: TaskView, query: TaskQuery) -> bool:
    if query.text and query.text.casefold() not in _text(task):
        return False
    states = {
        "all": True,
        "active": task.active,
        "failing": _is_failing(task),
        "running": task.running > 0,
        "paused": task.paused_at is not None,
    }
    return query.name in (None, task.name) and states[query.state]


def _text(task: TaskView) -> str:
    command = task.command if isinstance(task.command, str) else " ".join(task.command)
    return "\n".join([task.name, *task.tags, command]).casefold()


def _has_no_key(task: TaskView, query: TaskQuery) -> bool:
    """Such tasks come last, whichever way the others are sorted."""
    keys = {"next_run_at": task.next_run_at, "duration": task.average_duration_s,
            "success_rate": task.success_rate}  # fmt: skip
    return query.sort in keys and keys[query.sort] is None


def _rank(task: TaskView) -> int:
    if task.paused_at is not None:
        return 3
    if not task.active:
        return 4
    if task.last_run is None:
        return 5
    return 0 if task.last_run.status in BAD else 1 if task.last_run.status in ACTIVE else 2


def _sort_key(query: TaskQuery) -> Callable[[TaskView], Any]:
    def key(task: TaskView) -> Any:
        match query.sort:
            case "name":
                return (task.name.casefold(), task.id)
            case "next_run_at":
                return (task.next_run_at is None, task.next_run_at or NOON, task.id)
            case "last_run":
                return (task.last_run.id if task.last_run else 0, task.id)
            case "duration":
                return (task.average_duration_s is None, task.average_duration_s, task.id)
            case "success_rate":
                return (task.success_rate is None, task.success_rate, task.id)
            case "state":
                return (_rank(task), task.id)
            case _:
                return task.id

    return key
