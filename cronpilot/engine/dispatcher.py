"""Worker slots and pools: what is queued is claimed, started, and followed to its end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cronpilot.domain.plan import Final
from cronpilot.domain.run import Reason, Status
from cronpilot.domain.secrets import mask
from cronpilot.domain.text import clean
from cronpilot.engine.back_off import BackOff
from cronpilot.engine.clock import Clock
from cronpilot.engine.launch import Claim, Launcher, claim_of, unprepared
from cronpilot.engine.planner import Changes, log_warnings
from cronpilot.engine.preparation import Preparation
from cronpilot.engine.reports import Applied, Report, apply_reports, finish
from cronpilot.engine.stops import Stop, Stops
from cronpilot.engine.threads import start_threads
from cronpilot.errors import ConfigError, CronPilotError, Refused, StorageProblem
from cronpilot.runner.executor import Executor
from cronpilot.runner.keeper import crash
from cronpilot.runner.messages import AttemptKey, Ended, NeverStarted, Started, StartOrder
from cronpilot.storage import runs
from cronpilot.storage.database import Connection, Database
from cronpilot.storage.details import keep_environment

TICK_S = 1.0
RIDE_S = 0.02  # how long a start waits, to be written along with its own end
UNHEARD_S = 2.0  # a start that nobody confirmed for so long is settled from its record
_HEARD = {Started: "engine.got_started", Ended: "engine.got_done", NeverStarted: "engine.revoked"}


class Room(NamedTuple):
    """How much may run at once."""

    max_workers: int
    pools: Mapping[str, int]


class Dispatcher:
    """Lives in the engine's loop. `kick` says that the queue or the slots may have changed; one
    turn claims what may start, commits it, and only then asks the runner."""

    def __init__(
        self,
        *,
        database: Database,
        executor: Executor,
        launcher: Launcher,
        clock: Clock,
        room: Room,
        is_paused: Callable[[], bool],
        tell: Callable[[Changes], None],
        trouble: Callable[[Exception | None], None],
        refused: Callable[[Exception | None], None],
        has_room: Callable[[], bool],
    ) -> None:
        """
        Args:
            trouble: told when the database refuses (the error), and when it works again (None).
            refused: the same of the machine, when it has nothing to spare for a command.
        """
        self._database, self._executor, self._launcher = database, executor, launcher
        self._clock, self.room = clock, room
        self._is_paused, self._tell = is_paused, tell
        self._trouble, self._refused = trouble, refused
        self._has_room, self.is_disk_full = has_room, False
        self._wanted = asyncio.Event()
        self._may_start = True  # the queue or the slots may have changed since the last look
        self._reports: list[Report] = []
        self._riding: set[AttemptKey] = set()  # started, and perhaps about to end
        self._alarm = asyncio.Event()
        self._unheard: dict[AttemptKey, float] = {}
        self._back_off = BackOff(clock)
        self._retry_at: datetime | None = None
        self._linked = False
        self._closing = False
        self._stops = Stops()
        self._preparation = Preparation(launcher, self._keep, self._send, self.report)

    @property
    def is_linked(self) -> bool:
        """Whether the keeper answers."""
        return self._linked

    # --- what others say ---

    def kick(self) -> None:
        self._may_start = True
        self._wanted.set()

    def planned(self, changes: Changes) -> None:
        """Something may have to start now, if it was not claimed along with what has changed."""
        if changes.retries_moved:
            self._look_for_retries()
        if changes.claims is None:
            self.kick()
        else:
            self._start_all(changes.claims)

    def claim(self, connection: Connection) -> Sequence[Claim] | None:
        """In somebody's transaction: mark what may start as starting. None: it was not looked for.

        Once that is committed, `planned` has to be told.
        """
        return self._claim(connection, ()) if self._may_claim() else None

    def report(self, report: Report) -> None:
        """The runner says how an attempt goes on.

        A start is not written at once: of a command that takes milliseconds, start and end are one.
        """
        self._unheard.pop(report.key, None)
        self._reports.append(report)
        if isinstance(report, Started):
            self._stop_again(report.key)
            self._riding.add(report.key)
            asyncio.get_running_loop().call_later(RIDE_S, self._end_ride, report.key)
        else:
            self._riding.discard(report.key)
            self.kick()
        crash.here(_HEARD[type(report)])

    def stop(self, key: AttemptKey, reason: Reason, first: signal.Signals) -> None:
        """End this run: its attempt, or whatever else it is waiting for by now."""
        self._stops.want(key.run_id, Stop(reason, first))
        if self._preparation.take_back(key):
            self.report(_not_started(key))
        else:
            self._executor.stop(key, why=reason.value, signal=first)
        self.kick()

    def stop_as_asked(self, key: AttemptKey) -> None:
        """A person has told that run to stop, perhaps an earlier engine."""
        stop = self._stops.of(key.run_id) or Stop(Reason.USER, signal.SIGTERM)
        self.stop(key, stop.reason, stop.signal)

    def _stop_again(self, key: AttemptKey) -> None:
        """The keeper may have been told before it knew of that attempt, or an earlier keeper."""
        if (stop := self._stops.of(key.run_id)) is not None:
            self._executor.stop(key, why=stop.reason.value, signal=stop.signal)

    def _end_ride(self, key: AttemptKey) -> None:
        if key in self._riding:
            self._riding.discard(key)
            self._wanted.set()

    def linked(self, keys: Iterable[AttemptKey]) -> None:
        """The keeper answers, and holds these attempts."""
        self._linked = True
        for key in keys:
            self._unheard.pop(key, None)
        self.kick()

    def unlinked(self) -> None:
        """The keeper is gone: nothing is started until another has answered."""
        self._linked = False
        self._unheard.clear()
        self._preparation.take_back_all()  # the next link settles these, too: they are asked again

    def close(self) -> None:
        """Claim no more; what was reported is still written."""
        self._closing = True

    # --- the work ---

    async def run(self) -> None:
        """Claim and write reports until cancelled."""
        await start_threads()
        self._retry_at = await self._read(runs.next_retry)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._turns())
                group.create_task(self._ticks())
        finally:
            self._preparation.take_back_all()

    async def drain(self) -> None:
        """Write what was reported so far."""
        while self._reports:
            self._riding.clear()
            await self._turn()

    async def _turns(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._turn()
            except StorageProblem as problem:
                self._trouble(problem)
                await asyncio.sleep(TICK_S)
                self.kick()

    async def _turn(self) -> None:
        """Write what was reported and claim what may start then, in one transaction: half the
        commits, and a slot is taken again in the moment in which it is known to be free."""
        reports = [report for report in self._reports if report.key not in self._riding]
        self._reports = [report for report in self._reports if report.key in self._riding]
        claims, self._may_start = self._may_start and self._may_claim(), False
        if not reports and not claims and not self._stops:
            return
        try:
            applied, claimed = await asyncio.wrap_future(
                self._database.write(lambda c: self._write_turn(c, reports, claims=claims))
            )
        except StorageProblem:  # the records keep what happened until this works
            self._reports = reports + self._reports
            raise
        self._trouble(None)
        if reports or applied.changes.run_ids:
            self._after(applied, reports)
        self._start_all(claimed)

    def _may_claim(self) -> bool:
        return self._linked and not self._closing and not self.is_disk_full

    def _write_turn(
        self, connection: Connection, reports: Sequence[Report], *, claims: bool
    ) -> tuple[Applied, Sequence[Claim]]:
        now = self._clock.now()
        applied = apply_reports(connection, reports, self._launcher.log_size, now)
        if self._stops:
            applied.changes.add(self._stops.end_waiting(connection, now))
        return applied, self._claim(connection, applied.not_started) if claims else []

    def _claim(self, connection: Connection, refused: Sequence[int]) -> Sequence[Claim]:
        """Mark what may start as starting, but none of `refused`, which will back off."""
        busy = runs.busy(connection)
        free = self.room.max_workers - sum(busy.values())
        left = {pool: size - busy.get(pool, 0) for pool, size in self.room.pools.items()}
        now, held = self._clock.now(), [*self._back_off.waiting(), *refused, *self._stops.run_ids]
        claimed: list[Claim] = []
        again = True
        while again and len(claimed) < free:
            found = runs.next_in_queue(
                connection,
                most=free - len(claimed),
                full_pools=[pool for pool, room in left.items() if room <= 0],
                held=[*held, *(claim.key.run_id for claim in claimed)],
                scheduler_paused=self._is_paused(),
            )
            again = False
            for run, task in found:
                pool = run["pool"]
                if pool in left:
                    if left[pool] <= 0:
                        again = True  # filled by one before it; the next look leaves this pool out
                        continue
                    left[pool] -= 1
                claimed.append(self._claim_of(run, task))
        runs.claim(
            connection, [claim.run for claim in claimed],
            [claim.environment for claim in claimed], boot_id=self._launcher.boot_id, at=now,
        )  # fmt: skip
        if claimed:
            crash.here("engine.in_txn")
        return claimed

    def _claim_of(self, run: Mapping[str, Any], task: Mapping[str, Any]) -> Claim:
        try:
            return claim_of(self._launcher, run, task)
        except Exception as bug:  # noqa: BLE001  else it would be met again in each turn, by all
            key = AttemptKey(run["id"], run["launches"] + 1)
            return Claim(key, run, task, order=unprepared(key, bug))

    def _start_all(self, claimed: Sequence[Claim]) -> None:
        """These are committed as starting."""
        if not claimed:
            return
        crash.here("engine.committed")
        for claim in claimed:
            self._start(claim)
        self._tell(
            Changes(
                {claim.run["task_id"] for claim in claimed},
                [claim.key.run_id for claim in claimed],
            )
        )  # fmt: skip

    def _start(self, claim: Claim) -> None:
        if claim.key.run_id in self._stops:
            self.report(_not_started(claim.key))
            return
        if claim.order is not None:
            self._send(claim.key, claim.order)
            return
        # A file on a disk that hangs must keep nobody else waiting.
        self._preparation.begin(claim)

    async def _keep(self, key: AttemptKey, order: StartOrder) -> None:
        """Keep what an env_file says with the run; it is claimed, so it starts in any case."""
        variables = mask(order.env)
        with contextlib.suppress(StorageProblem):
            await asyncio.wrap_future(
                self._database.write(lambda c: keep_environment(c, key.run_id, variables))
            )

    def _send(self, key: AttemptKey, order: StartOrder | ConfigError) -> None:
        if isinstance(order, ConfigError):
            self.report(NeverStarted(key, str(order), retry=False))
            return
        self._unheard[key] = self._clock.elapsed()
        if self._linked:  # else the next link settles it: no record, so nothing was started
            self._executor.start(order)
            crash.here("engine.sent")

    def _after(self, applied: Applied, reports: Sequence[Report]) -> None:
        for report in reports:
            if isinstance(report, Started | Ended):
                self._back_off.forget(report.key.run_id)
        for run_id in applied.not_started:
            pause = self._back_off.refused(run_id)
            asyncio.get_running_loop().call_later(pause + 0.01, self.kick)
        if applied.exhausted:
            self._refused(_exhausted(applied.exhausted))
        elif any(isinstance(report, Started | Ended) for report in reports):
            self._refused(None)
        if applied.over:
            crash.here("engine.after_final")
        self._executor.forget(applied.over)
        self._tell(applied.changes)
        if applied.retries:
            self._look_for_retries()

    def _look_for_retries(self) -> None:
        self._retry_at = self._clock.now()  # the tick looks up when the next one really is
        self._alarm.set()

    # --- time ---

    async def _ticks(self) -> None:
        while True:
            with contextlib.suppress(StorageProblem):  # told by the writes themselves
                await self._tick()
            # Not wait_for: on 3.11 it swallows a cancelling that comes together with the alarm.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._until_next_tick()):
                    await self._alarm.wait()
            self._alarm.clear()

    def _until_next_tick(self) -> float:
        """Seconds; a retry is woken to the moment, not to the second."""
        if self._retry_at is None:
            return TICK_S
        pause = (self._retry_at - self._clock.now()) / timedelta(seconds=1)
        return min(TICK_S, max(0.002, pause))

    async def _tick(self) -> None:
        self._look_at_disk()
        elapsed = self._clock.elapsed()
        for key, since in list(self._unheard.items()):
            if self._linked and elapsed - since > UNHEARD_S:
                self._settle(key)
        overdue = await self._read(lambda connection: runs.overdue(connection, self._clock.now()))
        if overdue:
            await self._give_up(overdue)
        await self._wake_retries()

    def _settle(self, key: AttemptKey) -> None:
        del self._unheard[key]
        try:
            self._executor.settle(key, boot_id=self._launcher.boot_id)
        except OSError as problem:  # no room for its record, or no descriptor: asked again
            self._unheard[key] = self._clock.elapsed()
            self._refused(problem)

    def _look_at_disk(self) -> None:
        """Nothing is started on a disk that is nearly full; what waits goes on by itself."""
        was_full, self.is_disk_full = self.is_disk_full, not self._has_room()
        if was_full and not self.is_disk_full:
            self.kick()

    async def _give_up(self, overdue: Sequence[int]) -> None:
        now = self._clock.now()

        def write(connection: Connection) -> Changes:
            changes = Changes()
            for run_id in overdue:
                run = runs.state(connection, run_id)
                if run is None or run["status"] is not Status.QUEUED:
                    continue
                finish(connection, run, Final(Status.MISSED, Reason.DEADLINE), finished_at=now)
                name = clean(run["task_name"])
                changes.warnings.append(f"Task {name} waited beyond its deadline, missed")
                changes.run_ids.append(run_id)
                changes.task_ids.add(run["task_id"])
            return changes

        changes = await asyncio.wrap_future(self._database.write(write))
        log_warnings(changes)
        self._tell(changes)

    async def _wake_retries(self) -> None:
        now = self._clock.now()
        if self._retry_at is None or self._retry_at > now or self._closing:
            return
        woken = await asyncio.wrap_future(self._database.write(lambda c: runs.due_retries(c, now)))
        if woken:  # they are in the queue, whatever becomes of the next look
            self._tell(Changes(run_ids=list(woken)))
            self.kick()
        self._retry_at = await self._read(runs.next_retry)

    async def _read(self, closure: Callable[[Connection], Any]) -> Any:
        return await asyncio.to_thread(self._database.read, closure)


def _not_started(key: AttemptKey) -> NeverStarted:
    return NeverStarted(key, "Stopped before its command was started.", retry=True)


def _exhausted(detail: str) -> CronPilotError:
    return Refused(
        f"This machine starts no more commands ({detail.removeprefix('waits: ')}).",
        "What is queued is tried again; end processes, or raise the limit of CronPilot's user.",
    )
