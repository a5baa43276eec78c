"""A client with an engine made of dictionaries: for tests, demonstrations and screenshots."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from cronpilot.client.fake_agenda import FakeAgenda
from cronpilot.client.fake_definitions import Definitions, refuse_version
from cronpilot.client.fake_health import fake_health
from cronpilot.client.fake_incidents import FakeIncidents
from cronpilot.client.fake_live import FakeLive
from cronpilot.client.fake_logs import FakeLogs
from cronpilot.client.fake_queries import page_of_runs, page_of_tasks
from cronpilot.client.fake_quiet import FakeQuiet
from cronpilot.client.fake_rows import NOON, make_run, make_task
from cronpilot.client.fake_users import FakeUsers, pool_views
from cronpilot.client.fake_why import Explanations
from cronpilot.client.messages import (
    AttemptView,
    Banner,
    EngineStatus,
    FireTime,
    Health,
    LogChunk,
    ReloadResult,
    RunPage,
    RunQuery,
    RunView,
    TaskPage,
    TaskQuery,
    TaskView,
)
from cronpilot.client.protocol import StopSignal
from cronpilot.client.users import PoolView
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.domain.text import composed
from cronpilot.errors import NotFound

__all__ = ["NOON", "FakeClient", "make_run", "make_task"]

_SIGNAL_NUMBERS: Mapping[StopSignal, int] = {"TERM": 15, "KILL": 9, "INT": 2}


class FakeClient(FakeAgenda, FakeQuiet, FakeLive, FakeIncidents):
    """The whole `Client` protocol in memory.

    Changes made through it, or by the methods that only it has (`put_task`, `put_run`, `finish`,
    `append_log`), reach everyone who listens. Between `lose()` and `come_back()` nobody answers.
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
        super().__init__(
            tasks, runs, logs, clock,
            timezone=timezone, max_workers=max_workers, pools=pools, role=role, banners=banners,
        )  # fmt: skip
        self._requests: dict[str, int] = {}
        self.why = Explanations(self, clock).why
        looking = FakeLogs(self)
        self.search_log, self.compare = looking.search_log, looking.compare
        self.people = people = FakeUsers(clock)
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
        return page_of_tasks(self._tasks.values(), query)

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
            if task.name == composed(name):
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
        return page_of_runs(self._runs.values(), query)

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
        if_version: int | None = None,
    ) -> RunView:
        task = await self.task(task_id)
        if request_id in self._requests:
            return self._runs[self._requests[request_id]]
        refuse_version(task, if_version)
        self.calls.append(("test_task", task_id, spec, as_scheduled))
        now, run_id = self._clock(), max(self._runs, default=0) + 1
        self._requests[request_id] = run_id
        return self.put_run(
            make_run(
                run_id, task_id=task_id, task_name=task.name, trigger=Trigger.TEST,
                scheduled_for=None, queued_at=now, started_at=now, pid=40_000 + run_id,
            )
        )  # fmt: skip

    async def run_now(
        self, task_id: int, *, request_id: str, if_version: int | None = None
    ) -> RunView:
        task = await self.task(task_id)
        if request_id in self._requests:
            return self._runs[self._requests[request_id]]
        refuse_version(task, if_version)
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
        self,
        task_id: int,
        *,
        until: datetime | None = None,
        run_after: bool = False,
        if_version: int | None = None,
    ) -> TaskView:
        task = await self.task(task_id)
        refuse_version(task, if_version)
        self.calls.append(("pause_task", task_id))
        self.put_task(task.model_copy(update={"paused_at": self._clock(), "paused_until": until,
                                              "run_after_pause": run_after}))  # fmt: skip
        return self._tasks[task_id]

    async def resume_task(self, task_id: int, *, if_version: int | None = None) -> TaskView:
        task = await self.task(task_id)
        refuse_version(task, if_version)
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

    def _set_paused(self, paused: bool, until: datetime | None = None) -> EngineStatus:
        self.answer()
        self._paused_until = until
        self.calls.append(("pause_scheduler" if paused else "resume_scheduler",))
        self._paused = paused
        self._emit_status()
        return self._status()

    async def close(self) -> None:
        self._wake_followers()
