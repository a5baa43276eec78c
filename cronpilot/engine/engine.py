"""The engine: a switchboard between those who ask and the parts that do. No logic of its own."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cronpilot import __version__
from cronpilot.client.actor import actor
from cronpilot.client.messages import Banner, EngineInfo, EngineStatus, StatusChanged
from cronpilot.domain.zones import find_zone
from cronpilot.engine import lost_zones, recovery
from cronpilot.engine.accounts import Accounts
from cronpilot.engine.asking import Asking
from cronpilot.engine.bus import Bus
from cronpilot.engine.changed_rows import changed_rows
from cronpilot.engine.clock import Clock, ClockWatch, SystemClock
from cronpilot.engine.concerns import Concerns
from cronpilot.engine.config import EngineConfig
from cronpilot.engine.controls import Controls
from cronpilot.engine.crossing import Crossing
from cronpilot.engine.disk import DiskGuard
from cronpilot.engine.dispatcher import Dispatcher, Room
from cronpilot.engine.downtime import DowntimeReview
from cronpilot.engine.editing import Editor
from cronpilot.engine.figures import Figures, Gauge, Sources
from cronpilot.engine.following import Follower
from cronpilot.engine.heartbeat import Heartbeat, plan_anew_if_clock_went_back
from cronpilot.engine.launch import Launcher
from cronpilot.engine.liveness import Liveness
from cronpilot.engine.notices import Notices
from cronpilot.engine.planner import Changes, log_warnings
from cronpilot.engine.reading import Reader
from cronpilot.engine.scheduling.job_store import TaskJobStore
from cronpilot.engine.scheduling.scheduler import Scheduler
from cronpilot.engine.standstill import Standstill
from cronpilot.engine.status import read_status
from cronpilot.engine.tally import Tally
from cronpilot.engine.tasks_file import plan_for_settings
from cronpilot.engine.upkeep import Upkeep
from cronpilot.engine.views import Congestion
from cronpilot.errors import StorageProblem
from cronpilot.runner.executor import Local
from cronpilot.runner.keeper.turns import take_short_turns
from cronpilot.runner.messages import AttemptKey, Linked, Report, Trouble, Unlinked
from cronpilot.storage import backups, meta, runs
from cronpilot.storage.database import Connection, Database

if TYPE_CHECKING:
    from datetime import datetime

    from cronpilot.client.messages import Event, ReloadResult

__all__ = ["Engine", "EngineConfig"]

log = logging.getLogger("cronpilot")

_CANCEL_AGAIN_S = 1.0


class Engine(Asking):
    """One engine over one database. Implements `Client`; all of it lives in one asyncio loop,
    except APScheduler's thread and the writer's, which reach it by `call_soon_threadsafe`."""

    def __init__(self, config: EngineConfig, clock: Clock | None = None) -> None:
        self.stopped = asyncio.Event()
        """Set when somebody asked the engine to end, or a part of it has failed."""
        self.failure: BaseException | None = None
        self._config, self._clock = config, clock or SystemClock()
        self._id = uuid.uuid4().hex[:12]
        self._started_at = self._clock.now()
        self._jobs: list[asyncio.Task[None]] = []
        self.api_address: str | None = None  # where it answers on TCP
        self.on_reconfigure: list[Callable[[EngineConfig], None]] = []
        self._database = Database(config.database)
        self._crossing = Crossing(self._database)
        self._write = self._crossing.write
        self._bus = Bus(self._id, self._load)
        self.notices = self._notices = Notices(self._bus.tell)
        reader = Reader(self._database, config.state_dir, self._clock.now, self._congestion)
        self._watch = ClockWatch(self._clock)
        self._review = DowntimeReview(reader, self._notices, config.state_dir, self._clock.now)
        self.concerns = Concerns(
            self._database, config, clock=self._clock, reader=reader, notices=self._notices,
            soon=self._crossing.soon, changed=self._bus.tell, usuals=reader.usuals,
        )  # fmt: skip
        super().__init__(
            reader, lambda: self._config, now=self._clock.now, info=self._info,
            notices=self._notices, concerns=self.concerns, review=self._review,
        )  # fmt: skip
        self._make_clockwork()
        self._make_desks()
        self._make_gauge()

    def _make_clockwork(self) -> None:
        """What is due: the scheduler, its heartbeat, the pause of all of it, and the upkeep."""
        self._standstill = Standstill(
            now=self._clock.now, actor=actor, write=self._write,
            changed=self._definitions_changed, status=self.status,
        )  # fmt: skip
        self.pause_scheduler = self._standstill.pause
        self.resume_scheduler = self._standstill.resume
        self._upkeep = Upkeep(
            self._database, self._config.state_dir, self._clock, self._notices,
            rules=self._config.retention, zone=find_zone(self._config.timezone),
        )  # fmt: skip
        self._heartbeat = Heartbeat(
            database=self._database, clock=self._clock, notices=self._notices,
            soon=self._crossing.soon, planned=self._planned, resumed=self._standstill.over,
            alive=self._review.beat,
        )  # fmt: skip
        self.stuck_part = Liveness(
            self._clock, lambda: self._heartbeat.beaten_at, self._write
        ).stuck_part
        self._scheduler = Scheduler(
            TaskJobStore(
                self._database, self._watch,
                is_paused=self._standstill.is_on,
                beat=self._heartbeat,
                claim=lambda c: self._dispatcher.claim(c),  # noqa: PLW0108  made at the start
                planned=self._crossing.from_thread(self._planned),
                failed=self._crossing.from_thread(partial(self._notices.trouble, "planning")),
            )
        )  # fmt: skip

    def _make_desks(self) -> None:
        """What changes something: definitions, runs, incidents, users; by hand and by the file."""
        self._follower = Follower(
            config=lambda: self._config, now=self._clock.now, write=self._write,
            watched_since=lambda: self._watch.watched_since,
            reader=self._reader, notices=self._notices, changed=self._definitions_changed,
        )  # fmt: skip
        self.differences = self._follower.differences
        editor = Editor(
            ground=lambda: self._config.ground, now=self._clock.now, actor=actor,
            watched_since=lambda: self._watch.watched_since,
            write=self._write, changed=self._definitions_changed,
        )  # fmt: skip
        self.create_task, self.change_task = editor.create_task, editor.change_task
        self.delete_task, self.undo = editor.delete_task, editor.undo
        self._controls = Controls(
            now=self._clock.now, reader=self._reader, write=self._write,
            stop=lambda *stop: self._dispatcher.stop(*stop),  # noqa: PLW0108  made at the start
            planned=self._planned, changed=self._definitions_changed,
        )  # fmt: skip
        self.run_now, self.test_task = self._controls.run_now, self._controls.test_task
        self.stop_run = self._controls.stop_run
        self.pause_task, self.resume_task = self._controls.pause_task, self._controls.resume_task
        self.dismiss_downtime = self._review.dismiss_downtime
        self.acknowledge, self.snooze = self.concerns.acknowledge, self.concerns.snooze
        self.test_notification = self.concerns.test_notification
        self.on_reconfigure.append(self.concerns.reconfigure)
        self._bus.heard.append(self.concerns.heard)
        self.accounts = Accounts(read=self._reader.read, write=self._write, now=self._clock.now)
        self.users, self.add_user = self.accounts.users, self.accounts.add_user
        self.change_user, self.remove_user = self.accounts.change_user, self.accounts.remove_user

    def _make_gauge(self) -> None:
        tally = Tally(self._reader)
        self._bus.told.append(tally.note)
        self._gauge = Gauge(
            Sources(
                status=self.status, pools=self.pool_slots, write=self._write,
                clock_age_s=lambda: self._clock.elapsed() - self._heartbeat.beaten_at,
                keeper_linked=lambda: self._dispatcher.is_linked, listeners=self._bus.listeners,
            ),
            tally, self._reader, self._config.state_dir, self._config.database,
        )  # fmt: skip

    # --- life ---

    async def start(self, *, clock_after: asyncio.Event | None = None) -> None:
        """Read tasks.yaml, link the keeper, settle what was going on, start the clock.

        Args:
            clock_after: what the clock waits for when all else is done.
        """
        take_short_turns()
        await self._write(lambda _: take_short_turns())  # on the writer's thread
        installation = await self._write(_installation)
        self._executor = Local(self._config.state_dir, installation, self._report)
        self._launcher = Launcher(self._config.state_dir)
        self._dispatcher = Dispatcher(
            database=self._database, executor=self._executor, launcher=self._launcher,
            clock=self._clock, room=Room(*self._config.room),
            is_paused=self._standstill.is_on, tell=self._bus.tell,
            trouble=partial(self._notices.trouble, "database"),
            refused=partial(self._notices.trouble, "starts"),
            has_room=DiskGuard(
                self._config.state_dir, self._config.least_free, self._notices
            ).look,
        )  # fmt: skip
        self._taking_up = recovery.TakingUp(
            read=self._reader.read, state_dir=self._config.state_dir, executor=self._executor,
            trouble=partial(self._notices.trouble, "keeper"),
            replace=self._controls.replace, stop_again=self._dispatcher.stop_as_asked,
            done=self._taken_up,
        )  # fmt: skip
        await self._reader.read(self._standstill.recall)
        await self._reader.read(self._review.begin)
        now = self._clock.now()
        await self._plan_for_settings(now)
        await self._write(lambda c: plan_anew_if_clock_went_back(c, now))
        await self._follower.read()
        await self._audit("engine start", f"version {__version__}, pid {os.getpid()}")
        await self.concerns.start(installation)
        self._clock_start = asyncio.create_task(self._start_clock(clock_after))
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

    async def _plan_for_settings(self, now: datetime) -> None:
        ground = self._config.ground
        lost = lost_zones.banner(await self._write(lambda c: plan_for_settings(c, ground, now)))
        self._notices.replace(lost_zones.KEY, lost)

    async def _start_clock(self, after: asyncio.Event | None) -> None:
        # Else a slot that passed meanwhile would be skipped because of a run that is over in truth.
        await recovery.wait_until_settled(self._taking_up.settled)
        with contextlib.suppress(StorageProblem):  # told, and tried again by the dispatcher itself
            await self._dispatcher.drain()
        if after is not None:
            await after.wait()
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
        self._review.close()
        await asyncio.to_thread(self._database.close)

    def _job_ended(self, job: asyncio.Task[None]) -> None:
        """A part of the engine has died of a bug: end it all, so that a supervisor restarts us."""
        if not job.cancelled() and (error := job.exception()) is not None:
            log.critical("The engine has failed", exc_info=error)
            self.failure = self.failure or error
            self.stopped.set()

    async def shutdown(self, *, with_tasks: bool = False) -> None:
        with contextlib.suppress(StorageProblem):  # a full disk keeps nobody from ending it
            await self._audit("shutdown", "with tasks" if with_tasks else "", actor())
        if with_tasks:
            await asyncio.to_thread(self._scheduler.stop)
            self._dispatcher.close()
            await self._controls.stop_everything()
        self.stopped.set()

    async def close(self) -> None:
        """Nothing to close for one who asks; see `stop`."""

    # --- what the parts say ---

    def _definitions_changed(self, changes: Changes) -> None:
        self._planned(changes)
        self._scheduler.wakeup()

    def _planned(self, changes: Changes) -> None:
        self._dispatcher.planned(changes)
        self._bus.tell(changes)
        self._review.planned(changes)
        log_warnings(changes)
        if changes.to_stop:
            self._crossing.odd_job(self._controls.replace(changes.to_stop))

    def _report(self, report: Report) -> None:
        match report:
            case Linked():
                self._crossing.odd_job(self._taking_up.linked(report.live))
            case Unlinked():
                self._taking_up.unlinked()
                self._dispatcher.unlinked()
            case Trouble():
                self._notices.show(
                    Banner(key="keeper", text=report.problem, hint=report.hint, severity="error")
                )
            case _:
                self._dispatcher.report(report)

    def _taken_up(self, live: Sequence[AttemptKey]) -> None:
        self._notices.clear("keeper")
        self._dispatcher.linked(live)

    async def _load(self, changes: Changes) -> Sequence[Event]:
        """The changed rows as events, the figures last."""

        def read(connection: Connection) -> list[Event]:
            changed = changed_rows(connection, changes, self._reader.run_views)
            return [*changed, StatusChanged(status=self._status(connection))]

        return await self._reader.read(read)

    def _congestion(self, connection: Connection) -> Congestion:
        return Congestion(
            *self._config.room, runs.busy(connection),
            linked=self._dispatcher.is_linked, paused=self._standstill.is_on(),
            disk_full=self._dispatcher.is_disk_full,
        )  # fmt: skip

    # --- what it says of itself ---

    @property
    def tasks_file(self) -> Path | None:
        """The tasks file in force."""
        return self._config.tasks_file

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

    def events(self, *, after: str | None = None) -> AsyncIterator[Event]:
        return self._bus.events(after)

    # --- what it goes by ---

    def screen_is_gone(self) -> None:
        """From now on it is an engine without a screen in its process."""
        self._config = replace(self._config, role="headless")
        self._bus.tell()

    async def reconfigure(self, config: EngineConfig) -> None:
        """Go by other settings from now on; paths stay those of the start."""
        self._config = replace(
            config, state_dir=self._config.state_dir, database=self._config.database,
            role=self._config.role,
        )  # fmt: skip
        self._dispatcher.room = Room(*config.room)
        self._upkeep.rules, self._upkeep.zone = config.retention, find_zone(config.timezone)
        now = self._clock.now()
        await self._plan_for_settings(now)
        for reconfigured in self.on_reconfigure:
            reconfigured(config)
        await self._follower.read()
        self._dispatcher.kick()

    async def reload(self) -> ReloadResult:
        result = await self._follower.reload()
        await self._audit("reload", result.file or "", actor())
        return result

    async def backup(self, path: str) -> str:
        copy = await asyncio.to_thread(backups.make, self._database, Path(path).absolute())
        await self._audit("backup", str(copy), actor())
        return str(copy)

    async def _audit(self, action: str, detail: str, by: str = "engine") -> None:
        now = self._clock.now()
        await self._write(lambda c: meta.note(c, at=now, actor=by, action=action, detail=detail))


def _installation(connection: Connection) -> str:
    """The random id of this installation; made at the first start."""
    known = meta.get(connection, meta.INSTALLATION)
    if known is None:
        known = uuid.uuid4().hex
        meta.put(connection, meta.INSTALLATION, known)
    return known
