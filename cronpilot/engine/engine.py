"""The engine: a switchboard between those who ask and the parts that do. No logic of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal as signals
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from cronpilot import __version__
from cronpilot.client.actor import actor
from cronpilot.client.messages import Banner, EngineInfo, EngineStatus
from cronpilot.config.settings import ApiSettings, RetentionSettings
from cronpilot.config.telling_settings import NotificationSettings, SmtpSettings
from cronpilot.domain.quiet import Rule
from cronpilot.domain.run import Reason
from cronpilot.domain.zones import find_zone
from cronpilot.engine import commands, pausing, recovery
from cronpilot.engine.accounts import Accounts
from cronpilot.engine.agenda import Agenda
from cronpilot.engine.bus import Bus
from cronpilot.engine.clock import Clock, ClockWatch, SystemClock
from cronpilot.engine.comparing import Comparer
from cronpilot.engine.concerns import Concerns
from cronpilot.engine.definitions import Ground
from cronpilot.engine.disk import LEAST_FREE, DiskGuard
from cronpilot.engine.dispatcher import Dispatcher, Room
from cronpilot.engine.downtime import DowntimeReview
from cronpilot.engine.editing import Editor
from cronpilot.engine.figures import Figures, Gauge, Sources
from cronpilot.engine.following import Follower
from cronpilot.engine.health import HealthReport
from cronpilot.engine.heartbeat import Heartbeat, plan_anew_if_clock_went_back
from cronpilot.engine.launch import Launcher
from cronpilot.engine.ledger import Ledger
from cronpilot.engine.liveness import Liveness
from cronpilot.engine.notices import Notices
from cronpilot.engine.planner import Changes, log_warnings
from cronpilot.engine.quiet import QuietTimes
from cronpilot.engine.reading import Reader
from cronpilot.engine.scheduling.job_store import TaskJobStore
from cronpilot.engine.scheduling.scheduler import Scheduler
from cronpilot.engine.standstill import Standstill
from cronpilot.engine.status import read_status
from cronpilot.engine.tally import Tally
from cronpilot.engine.tasks_file import plan_for_settings
from cronpilot.engine.upkeep import Upkeep
from cronpilot.engine.usage import UsageMeter
from cronpilot.engine.views import Congestion, task_view
from cronpilot.errors import Refused, StorageProblem
from cronpilot.runner.executor import Local
from cronpilot.runner.messages import AttemptKey, Linked, Report, Trouble, Unlinked
from cronpilot.storage import backups, meta, runs, tasks
from cronpilot.storage.database import Connection, Database

if TYPE_CHECKING:
    from datetime import datetime

    from cronpilot.client.messages import (
        Event,
        Explanation,
        FireTime,
        LogChunk,
        ReloadResult,
        RunView,
        TaskView,
    )
    from cronpilot.client.protocol import StopSignal
    from cronpilot.client.quiet import QuietTime

T = TypeVar("T")
log = logging.getLogger("cronpilot")

_CANCEL_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What an engine goes by."""

    state_dir: Path
    database: Path
    tasks_file: Path | None
    timezone: str
    max_workers: int = 10
    pools: dict[str, int] = field(default_factory=dict)
    quiet: Mapping[str, Rule] = field(default_factory=dict)
    role: Literal["screen", "headless"] = "headless"
    watch: bool = True  # apply the tasks file whenever it has changed
    take_over: bool = False  # archive what other tasks files declared and this one does not
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    smtp: SmtpSettings = field(default_factory=SmtpSettings)
    notifications: NotificationSettings = field(default_factory=NotificationSettings)
    least_free: int = LEAST_FREE  # bytes on the disk of the state directory; below, no starts

    @property
    def ground(self) -> Ground:
        """What of it plans depend on."""
        return Ground(self.timezone, self.quiet)


class Engine:
    """One engine over one database. Implements `Client`; all of it lives in one asyncio loop,
    except APScheduler's thread and the writer's, which reach it by `call_soon_threadsafe`."""

    def __init__(self, config: EngineConfig, clock: Clock | None = None) -> None:
        self.stopped = asyncio.Event()
        """Set when somebody asked the engine to end."""
        self._config, self._clock = config, clock or SystemClock()
        self._id = uuid.uuid4().hex[:12]
        self._started_at = self._clock.now()
        self._loop = asyncio.get_running_loop()
        self._settled = asyncio.Event()
        self._jobs: list[asyncio.Task[None]] = []
        self._odd_jobs: set[asyncio.Task[None]] = set()
        self.api_address: str | None = None  # where it answers on TCP
        self.on_reconfigure: list[Callable[[EngineConfig], None]] = []
        self._database = Database(config.database)
        self._bus = Bus(self._id, self._load)
        self.notices = self._notices = Notices(self._bus.tell)
        self._reader = Reader(self._database, config.state_dir, self._clock.now, self._congestion)
        self._watch = ClockWatch(self._clock)
        self._standstill = Standstill(
            now=self._clock.now, actor=lambda: self._actor, write=self._write,
            changed=self._definitions_changed, status=self.status,
        )  # fmt: skip
        self._upkeep = Upkeep(
            self._database, config.state_dir, self._clock, self._notices,
            rules=config.retention, zone=find_zone(config.timezone),
        )  # fmt: skip
        self._review = DowntimeReview(
            self._reader, self._notices, config.state_dir, self._clock.now
        )  # fmt: skip
        self.concerns = Concerns(
            self._database, config, clock=self._clock, reader=self._reader, notices=self._notices,
            soon=self._soon, changed=self._bus.tell, usuals=self._reader.usuals,
        )  # fmt: skip
        self.on_reconfigure.append(self.concerns.reconfigure)
        self._bus.heard.append(self.concerns.heard)
        heartbeat = Heartbeat(
            database=self._database, clock=self._clock, notices=self._notices, soon=self._soon,
            planned=self._planned, resumed=self._standstill.over, alive=self._review.beat,
        )  # fmt: skip
        self.stuck_part = Liveness(self._clock, lambda: heartbeat.beaten_at, self._write).stuck_part
        self._scheduler = Scheduler(
            TaskJobStore(
                self._database, self._watch,
                is_paused=self._standstill.is_on,
                beat=heartbeat,
                claim=lambda c: self._dispatcher.claim(c),  # noqa: PLW0108  made at the start
                planned=self._from_thread(self._planned),
                failed=self._from_thread(partial(self._notices.trouble, "planning")),
            )
        )  # fmt: skip
        self._follower = Follower(
            config=lambda: self._config, now=self._clock.now, write=self._write,
            watched_since=lambda: self._watch.watched_since,
            reader=self._reader, notices=self._notices, changed=self._definitions_changed,
        )  # fmt: skip
        self._editor = Editor(
            ground=lambda: self._config.ground, now=self._clock.now, actor=lambda: self._actor,
            watched_since=lambda: self._watch.watched_since,
            write=self._write, changed=self._definitions_changed,
        )  # fmt: skip
        self.health = HealthReport(
            self._reader, config.database, config.state_dir,
            now=self._clock.now, engine=self._info, banners=self._notices.all,
            dropped=lambda: self.concerns.dropped, quiet=self._ask_quiet,
        ).read  # fmt: skip
        self.incidents, self.incident = self.concerns.incidents, self.concerns.incident
        self.acknowledge, self.snooze = self.concerns.acknowledge, self.concerns.snooze
        self.test_notification = self.concerns.test_notification
        agenda = Agenda(
            self._reader, now=self._clock.now, zone=lambda: find_zone(self._config.timezone),
            room=lambda: (self._config.max_workers, self._config.pools),
        )  # fmt: skip
        self.usage = UsageMeter(self._reader).usage
        self.downtime = self._review.downtime
        self.dismiss_downtime = self._review.dismiss_downtime
        self.upcoming, self.outlook = agenda.upcoming, agenda.outlook
        self.timeline = agenda.timeline
        self.quiet_times = QuietTimes(
            self._reader, lambda: self._config.quiet, lambda: find_zone(self._config.timezone),
            self._clock.now,
        ).quiet_times  # fmt: skip
        self.tasks = self._reader.tasks
        self.task = self._reader.task
        self.find_task = self._reader.find_task
        self.runs = self._reader.runs
        self.run = self._reader.run
        self.attempts = self._reader.attempts
        self.search_log = self._reader.search_log
        self.compare = Comparer(self._reader, config.state_dir).compare
        self.accounts = Accounts(read=self._reader.read, write=self._write, now=self._clock.now)
        ledger = Ledger(self._reader, lambda: (self._config.max_workers, self._config.pools))
        self.me, self.audit, self.pool_slots = ledger.me, ledger.audit, ledger.pool_slots
        tally = Tally(self._reader)
        self._bus.told.append(tally.note)
        self._gauge = Gauge(
            Sources(
                status=self.status, pools=self.pool_slots, write=self._write,
                clock_age_s=lambda: self._clock.elapsed() - heartbeat.beaten_at,
                keeper_linked=lambda: self._dispatcher.is_linked, listeners=self._bus.listeners,
            ),
            tally, self._reader, config.state_dir, config.database,
        )  # fmt: skip
        self.users = self.accounts.users
        self.add_user = self.accounts.add_user
        self.change_user = self.accounts.change_user
        self.remove_user = self.accounts.remove_user
        self.revisions = self._reader.revisions
        self.export = self._reader.export
        self.create_task = self._editor.create_task
        self.change_task = self._editor.change_task
        self.delete_task = self._editor.delete_task
        self.undo = self._editor.undo
        self.pause_scheduler = self._standstill.pause
        self.resume_scheduler = self._standstill.resume
        self.differences = self._follower.differences

    # --- life ---

    async def start(self) -> None:
        """Read tasks.yaml, link the keeper, settle what was going on, start the clock."""
        installation = await self._write(_installation)
        self._executor = Local(self._config.state_dir, installation, self._report)
        self._launcher = Launcher(self._config.state_dir)
        self._dispatcher = Dispatcher(
            database=self._database, executor=self._executor, launcher=self._launcher,
            clock=self._clock, room=Room(self._config.max_workers, self._config.pools),
            is_paused=self._standstill.is_on, tell=self._bus.tell,
            trouble=partial(self._notices.trouble, "database"),
            refused=partial(self._notices.trouble, "starts"),
            has_room=DiskGuard(
                self._config.state_dir, self._config.least_free, self._notices
            ).look,
        )  # fmt: skip
        await self._reader.read(self._standstill.recall)
        await self._reader.read(self._review.begin)
        now = self._clock.now()
        await self._write(lambda c: plan_for_settings(c, self._config.ground, now))
        await self._write(lambda c: plan_anew_if_clock_went_back(c, now))
        await self._follower.read()
        await self._audit("engine start", f"version {__version__}, pid {os.getpid()}")
        await self.concerns.start(installation)
        self._clock_start = asyncio.create_task(self._start_clock())
        self._jobs = [
            self._clock_start,
            asyncio.create_task(self._bus.run()),
            asyncio.create_task(self._executor.run()),
            asyncio.create_task(self._dispatcher.run()),
            asyncio.create_task(self._upkeep.run()),
            asyncio.create_task(self.concerns.run()),
            asyncio.create_task(self._follower.watch()),
        ]
        for job in self._jobs:
            job.add_done_callback(self._job_ended)

    async def _start_clock(self) -> None:
        # Else a slot that passed meanwhile would be skipped because of a run that is over in truth.
        await recovery.wait_until_settled(self._settled)
        with contextlib.suppress(StorageProblem):  # told, and tried again by the dispatcher itself
            await self._dispatcher.drain()
        self._scheduler.start()

    async def stop(self) -> None:
        """Claim nothing more, finish the writes, leave the tasks running."""
        self._clock_start.cancel()
        await asyncio.to_thread(self._scheduler.stop)
        self._dispatcher.close()
        self._gauge.close()
        self._bus.close()
        going = set(self._jobs)
        while going:  # a wait that ends in the moment of its cancelling may swallow that (3.11)
            for job in going:
                job.cancel()
            _, going = await asyncio.wait(going, timeout=_CANCEL_AGAIN_S)
        await self.concerns.stop()
        with contextlib.suppress(StorageProblem):  # no room: the records keep what happened
            await self._dispatcher.drain()
            await self._audit("engine stop", "")
        await asyncio.to_thread(self._database.close)

    def _job_ended(self, job: asyncio.Task[None]) -> None:
        """A part of the engine has died of a bug: end it all, so that a supervisor restarts us."""
        if not job.cancelled() and (error := job.exception()) is not None:
            log.critical("The engine has failed", exc_info=error)
            self.stopped.set()

    @property
    def _actor(self) -> str:
        """Who asks, while a question is answered."""
        return actor()

    @property
    def tasks_file(self) -> Path | None:
        """The tasks file in force."""
        return self._config.tasks_file

    def screen_is_gone(self) -> None:
        """From now on it is an engine without a screen in its process."""
        self._config = replace(self._config, role="headless")
        self._bus.tell()

    # --- what the parts say ---

    def _from_thread(self, call: Callable[[T], None]) -> Callable[[T], None]:
        return lambda value: self._soon(call, value)

    def _soon(self, call: Callable[..., None], *values: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *values)

    def _definitions_changed(self, changes: Changes) -> None:
        self._planned(changes)
        self._scheduler.wakeup()

    def _planned(self, changes: Changes) -> None:
        self._dispatcher.planned(changes)
        self._bus.tell(changes)
        self._review.planned(changes)
        log_warnings(changes)
        if changes.to_stop:
            self._odd_job(self._replace(changes.to_stop))

    def _report(self, report: Report) -> None:
        match report:
            case Linked():
                self._odd_job(self._linked(report.live))
            case Unlinked():
                self._dispatcher.unlinked()
            case Trouble():
                self._notices.show(
                    Banner(key="keeper", text=report.problem, hint=report.hint, severity="error")
                )
            case _:
                self._dispatcher.report(report)

    async def _linked(self, live: Sequence[AttemptKey]) -> None:
        in_flight = await self._reader.read(runs.in_flight)
        recovery.settle_all(self._executor, in_flight, live)
        self._settled.set()
        open_runs = await self._reader.read(runs.open_ids)
        await asyncio.to_thread(recovery.sweep_records, self._config.state_dir, open_runs)
        for run_id, launch in await self._reader.read(recovery.to_replace):
            self._executor.stop(AttemptKey(run_id, launch), why="replaced", signal=signals.SIGTERM)
        self._notices.clear("keeper")
        self._dispatcher.linked(live)

    async def _load(self, changes: Changes) -> Sequence[Event]:
        """The changed rows as events, the figures last."""
        from cronpilot.client.messages import RunChanged, StatusChanged, TaskChanged, TaskRemoved

        def read(connection: Connection) -> list[Event]:
            events: list[Event] = []
            for row in tasks.views(connection, sorted(changes.task_ids)):
                gone = row["archived_at"] is not None
                events.append(
                    TaskRemoved(task_id=row["id"]) if gone else TaskChanged(task=task_view(row))
                )
            rows = runs.views(connection, sorted(set(changes.run_ids)))
            events += [RunChanged(run=run) for run in self._reader.run_views(connection, rows)]
            return [*events, StatusChanged(status=self._status(connection))]

        return await self._reader.read(read)

    def _congestion(self, connection: Connection) -> Congestion:
        return Congestion(
            self._config.max_workers, self._config.pools, runs.busy(connection),
            linked=self._dispatcher.is_linked, paused=self._standstill.is_on(),
            disk_full=self._dispatcher.is_disk_full,
        )  # fmt: skip

    # --- reading ---

    async def figures(self) -> Figures:
        """For Prometheus."""
        return await self._gauge.figures(self._config.api.metrics_tasks)

    async def status(self) -> EngineStatus:
        return await self._reader.read(self._status)

    def _status(self, connection: Connection) -> EngineStatus:
        return read_status(
            connection, max_workers=self._config.max_workers, timezone=self._config.timezone,
            engine=self._info(), banners=self._notices.all(),
        )  # fmt: skip

    def _info(self) -> EngineInfo:
        config = self._config
        return EngineInfo(
            id=self._id, pid=os.getpid(), version=__version__, host=socket.gethostname(),
            started_at=self._started_at, state_dir=str(config.state_dir),
            database=str(config.database), role=config.role, api=self.api_address,
            tasks_file=None if config.tasks_file is None else str(config.tasks_file),
        )  # fmt: skip

    async def fire_times(self, *, task_id: int | None = None, limit: int = 20) -> list[FireTime]:
        return await self._reader.fire_times(task_id=task_id, limit=limit)

    async def why(self, task_id: int, *, at: datetime | None = None) -> Explanation:
        return await self._reader.why(task_id, at, engine_runs=True)

    async def read_log(self, run_id: int, *, offset: int = 0, limit: int = 1 << 18) -> LogChunk:
        return await self._reader.read_log(run_id, offset=offset, limit=limit)

    def follow_log(self, run_id: int, *, offset: int = 0) -> AsyncIterator[LogChunk]:
        return self._reader.follow_log(run_id, offset=offset)

    def events(self, *, after: str | None = None) -> AsyncIterator[Event]:
        return self._bus.events(after)

    # --- changing ---

    async def run_now(self, task_id: int, *, request_id: str) -> RunView:
        now = self._clock.now()
        run_id, changes = await self._write(
            lambda c: commands.start_by_hand(
                c, task_id, request_id=request_id, actor=self._actor, now=now
            )
        )
        self._planned(changes)
        return await self.run(run_id)

    async def test_task(
        self,
        task_id: int,
        *,
        spec: dict[str, Any] | None = None,
        as_scheduled: bool = False,
        request_id: str,
    ) -> RunView:
        now = self._clock.now()
        run_id, changes = await self._write(
            lambda c: commands.start_test(
                c, task_id, fields=spec or {}, as_scheduled=as_scheduled,
                request_id=request_id, actor=self._actor, now=now,
            )
        )  # fmt: skip
        self._planned(changes)
        return await self.run(run_id)

    async def stop_run(self, run_id: int, *, signal: StopSignal = "TERM") -> RunView:
        now = self._clock.now()
        key = await self._write(
            lambda c: commands.end_run(c, run_id, reason=Reason.USER, actor=self._actor, now=now)
        )
        run = await self.run(run_id)
        if key is not None:
            if not self._dispatcher.is_linked:
                raise Refused("The keeper does not answer.", "It is started again; try once more.")
            number = signals.Signals[f"SIG{signal}"]
            self._executor.stop(key, why=Reason.USER.value, signal=number)
        self._planned(Changes({run.task_id}, [run_id]))
        return run

    async def _replace(self, run_ids: Sequence[int]) -> None:
        now = self._clock.now()
        keys, changes = await self._write(lambda c: commands.replace_runs(c, run_ids, now))
        for key in keys:
            self._executor.stop(key, why=Reason.REPLACED.value, signal=signals.SIGTERM)
        self._planned(changes)

    async def pause_task(
        self, task_id: int, *, until: datetime | None = None, run_after: bool = False
    ) -> TaskView:
        now = self._clock.now()
        return await self._change_task(
            task_id,
            lambda c: pausing.pause(
                c, task_id, actor=self._actor, now=now, until=until, run_after=run_after
            ),
        )

    async def resume_task(self, task_id: int) -> TaskView:
        now = self._clock.now()
        return await self._change_task(
            task_id, lambda c: pausing.resume(c, task_id, actor=self._actor, now=now)
        )

    async def _change_task(self, task_id: int, change: Callable[[Connection], Changes]) -> TaskView:
        self._planned(await self._write(change))
        self._scheduler.wakeup()
        return await self.task(task_id)

    async def reconfigure(self, config: EngineConfig) -> None:
        """Go by other settings from now on; paths stay those of the start."""
        self._config = replace(
            config, state_dir=self._config.state_dir, database=self._config.database,
            role=self._config.role,
        )  # fmt: skip
        self._dispatcher.room = Room(config.max_workers, config.pools)
        self._upkeep.rules, self._upkeep.zone = config.retention, find_zone(config.timezone)
        now = self._clock.now()
        await self._write(lambda c: plan_for_settings(c, config.ground, now))
        for reconfigured in self.on_reconfigure:
            reconfigured(config)
        await self._follower.read()
        self._dispatcher.kick()

    async def reload(self) -> ReloadResult:
        result = await self._follower.reload()
        await self._audit("reload", result.file or "", self._actor)
        return result

    async def backup(self, path: str) -> str:
        copy = await asyncio.to_thread(backups.make, self._database, Path(path).absolute())
        await self._audit("backup", str(copy), self._actor)
        return str(copy)

    async def shutdown(self, *, with_tasks: bool = False) -> None:
        with contextlib.suppress(StorageProblem):  # a full disk keeps nobody from ending it
            await self._audit("shutdown", "with tasks" if with_tasks else "", self._actor)
        if with_tasks:
            await self._stop_everything()
        self.stopped.set()

    async def _stop_everything(self) -> None:
        """Stop all runs and wait for their ends, as long as the longest grace and a little more."""
        await asyncio.to_thread(self._scheduler.stop)
        self._dispatcher.close()
        now = self._clock.now()
        ids = sorted(await self._reader.read(runs.open_ids))
        for run_id in ids:
            end = partial(commands.end_run, run_id=run_id, actor=self._actor, now=now)
            with contextlib.suppress(Refused):  # it has just ended by itself
                key = await self._write(partial(end, reason=Reason.USER))
                if key is not None:
                    self._executor.stop(key, why=Reason.USER.value, signal=signals.SIGTERM)
        while await self._reader.read(runs.open_ids):  # noqa: ASYNC110  the rows are the truth
            await asyncio.sleep(0.05)

    async def _ask_quiet(self) -> list[QuietTime]:
        return await self.quiet_times()

    # --- odds ---

    async def close(self) -> None:
        """Nothing to close for one who asks; see `stop`."""

    async def _write(self, closure: Callable[[Connection], T]) -> T:
        # The writer works on a thread of its own, where the context of whoever asks is not known.
        context = copy_context()
        return await asyncio.wrap_future(
            self._database.write(lambda connection: context.run(closure, connection))
        )

    async def _audit(self, action: str, detail: str, actor: str = "engine") -> None:
        now = self._clock.now()
        await self._write(lambda c: meta.note(c, at=now, actor=actor, action=action, detail=detail))

    def _odd_job(self, work: object) -> None:
        """Run a short coroutine beside the loop's own; keep it alive until it is done."""
        job = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._odd_jobs.add(job)
        job.add_done_callback(self._odd_job_done)

    def _odd_job_done(self, job: asyncio.Task[None]) -> None:
        self._odd_jobs.discard(job)
        if not job.cancelled() and (error := job.exception()) is not None:
            log.error("A part of the engine failed: %s", error, exc_info=error)


def _installation(connection: Connection) -> str:
    """The random id of this installation; made at the first start."""
    known = meta.get(connection, meta.INSTALLATION)
    if known is None:
        known = uuid.uuid4().hex
        meta.put(connection, meta.INSTALLATION, known)
    return known
