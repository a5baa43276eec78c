"""The `task` table as APScheduler's job store: nothing pickled, no second copy of a schedule."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from apscheduler.job import Job
from apscheduler.jobstores.base import BaseJobStore, JobLookupError

from cronpilot.domain.plan import spread_offset
from cronpilot.engine.clock import ClockWatch
from cronpilot.engine.planner import (
    Changes,
    decide_due,
    offset_of_row,
    times_of_resolved,
    times_of_row,
)
from cronpilot.engine.scheduling.trigger import TaskTrigger
from cronpilot.errors import StorageProblem
from cronpilot.runner.keeper import crash
from cronpilot.storage import due_tasks, meta, pauses, tasks
from cronpilot.storage.database import Connection, Database
from cronpilot.storage.due_tasks import Alike

if TYPE_CHECKING:
    from cronpilot.engine.launch import Claim

log = logging.getLogger("cronpilot.scheduling")

PASS = 500  # tasks a pass: bounds for how long others wait to write. The rest is due 0 s later
RETRY = timedelta(seconds=1)  # after a write that failed
HEARTBEAT = timedelta(seconds=5)  # caps every sleep
COMMIT_S = 60.0  # how long a pass waits for its commit; a full disk answers long before


class DueJob(Job):  # type: ignore[misc]
    """A due task as a job, in one pass of APScheduler over what is due.

    Its constructor would want a function that can be pickled, and its every change is checked
    anew: a third of what a pass costs.
    """

    name, executor = "task", "default"
    misfire_grace_time, coalesce, max_instances = None, True, 1

    def __init__(self, task_id: int, trigger: TaskTrigger, next_run_time: datetime) -> None:
        self.id, self.trigger, self.next_run_time = str(task_id), trigger, next_run_time

    def _modify(self, *, next_run_time: datetime) -> None:
        """Nothing remembers it: the next one is planned where the verdict is made."""


class TaskJobStore(BaseJobStore):  # type: ignore[misc]
    """Lists due tasks as jobs, collects the verdicts of a pass, commits them at its end.

    The next wake-up that it names is never more than `HEARTBEAT` away: APScheduler sleeps on a
    monotonic clock, which stands still in suspend and knows nothing of steps. (A job of its own for
    that would lie an hour ahead after the clock was set back by one.)

    What is due is decided by the engine's clock. APScheduler reads the machine's itself, and is
    only told how long to sleep; the two differ in tests.

    A pass is get_due_jobs, then update_job or remove_job for each, then get_next_run_time: that is
    the order in which `BaseScheduler._process_jobs` calls them. No method raises after
    `get_due_jobs`, since an exception there stops APScheduler's clock for ever.
    """

    def __init__(
        self,
        database: Database,
        watch: ClockWatch,
        *,
        is_paused: Callable[[], bool],
        beat: Callable[[timedelta, datetime], None],
        claim: Callable[[Connection], Sequence[Claim] | None],
        planned: Callable[[Changes], None],
        failed: Callable[[Exception | None], None],
    ) -> None:
        """
        Args:
            beat: told at each pass, at least every `HEARTBEAT`, by how much the clock was moved,
                and what it shows.
            claim: marks, in the transaction of a pass, what may start at once as starting: a second
                commit, and a way through two more threads, would come before each command.
            planned: told of every commit, on the writer's thread.
            failed: told when the database refuses (the error) and when it works again (None).
        """
        super().__init__()
        self._database, self._watch = database, watch
        self._is_paused, self._beat, self._claim = is_paused, beat, claim
        self._planned, self._failed = planned, failed
        self._decided: list[int] = []
        self._now = watch.seen_at
        self._others_now = self._now  # the same moment, as APScheduler reads it
        self._more = False
        self._unreadable: Exception | None = None  # why a due task could not be planned
        self._may_claim = True  # not after a failure: first of all, slots are recorded

    def get_due_jobs(self, now: datetime) -> list[Job]:
        self._decided, self._more, self._unreadable = [], False, None
        try:
            step = self._watch.look()
            self._now, self._others_now = self._watch.seen_at, now
            self._beat(step, self._now)
            if self._is_paused():
                return []
            found = self._database.read(lambda c: due_tasks.due(c, self._now, PASS))
        except Exception as problem:
            if not isinstance(problem, StorageProblem):  # nobody else would say what it is
                log.exception("A pass over due tasks failed, trying again")
            self._failed(problem)
            raise  # APScheduler asks again after jobstore_retry_interval
        self._more = sum(len(alike.ids) for alike in found) == PASS
        return [job for alike in found for job in self._jobs(alike)]

    def update_job(self, job: Job) -> None:
        self._decided.append(int(job.id))

    def remove_job(self, job_id: str) -> None:
        """A trigger has ended. That finishes a schedule, it never deletes a task."""
        self._decided.append(int(job_id))

    def get_next_run_time(self) -> datetime:
        now = self._others_now
        try:
            if self._decided:
                self._commit()
            self._may_claim = True
            self._failed(self._unreadable)
            earliest = self._database.read(self._earliest)
        except Exception as error:  # noqa: BLE001  see the class: nothing may escape from here
            log.warning("Planning failed, trying again: %s", error)
            self._failed(error)
            at_once, self._may_claim = self._may_claim, False  # it may be the claims that fail
            return now if at_once else now + RETRY
        finally:
            self._decided = []
        if self._unreadable is not None:  # it is due for ever
            return now + RETRY
        if self._more:
            return now
        return now + (min(earliest - self._now, HEARTBEAT) if earliest else HEARTBEAT)

    def _earliest(self, connection: Connection) -> datetime | None:
        """When a task is due or a pause ends next."""
        due = None if self._is_paused() else tasks.earliest(connection)
        ends = (pauses.next_end(connection), meta.get_time(connection, meta.PAUSED_UNTIL))
        return min((at for at in (due, *ends) if at), default=None)

    def _commit(self) -> None:
        ids, now, since = self._decided, self._now, self._watch.watched_since

        def decide(connection: Connection) -> Changes:
            if self._is_paused():  # since the pass began: what was asked first holds
                return Changes()
            changes = decide_due(connection, ids, now, since)
            if self._may_claim:
                changes.claims = self._claim(connection)
            return changes

        writing = self._database.write(decide)
        writing.add_done_callback(self._committed)
        writing.result(timeout=COMMIT_S)

    def _committed(self, writing: Future[Changes]) -> None:
        """On the writer's thread: what is to start need not wait until this one wakes up."""
        if not writing.cancelled() and writing.exception() is None:
            crash.here("engine.planned_committed")
            self._planned(writing.result())

    def _jobs(self, alike: Alike) -> list[Job]:
        """A job for each of these tasks; they share what says when they fire next.

        None where that cannot be read: a damaged row must keep no other task from its slot.
        """
        try:
            times = times_of_resolved(alike.resolved, alike.zone_key, alike.quiet_key)
        except ValueError as problem:
            self._unreadable = problem
            return []
        trigger = TaskTrigger(times, spread_offset(alike.name, alike.spread))
        at = min(alike.next_run_at, self._others_now)  # or it is passed over
        return [DueJob(id_, trigger, at) for id_ in alike.ids]

    # --- what the scheduler's own interface offers, and the engine does not use ---

    def lookup_job(self, job_id: str) -> Job | None:
        return next((job for job in self.get_all_jobs() if job.id == job_id), None)

    def get_all_jobs(self) -> list[Job]:
        return [
            DueJob(
                row["id"], TaskTrigger(times_of_row(row), offset_of_row(row)), row["next_run_at"]
            )
            for row in self._database.read(lambda c: tasks.planned(c, PASS))
        ]

    def add_job(self, job: Job) -> None:
        raise JobLookupError(f"{job.id}: tasks are rows, add them through the engine")

    def remove_all_jobs(self) -> None:
        raise JobLookupError("tasks are rows, archive them through the engine")
