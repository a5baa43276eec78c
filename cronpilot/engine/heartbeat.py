"""What is done at each pass over due tasks, at least every few seconds: the clock that somebody
moved, the pauses that end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from cronpilot.client.messages import Banner
from cronpilot.engine.clock import Clock
from cronpilot.engine.commands import plan_all_from_now
from cronpilot.engine.notices import Notices
from cronpilot.engine.pausing import end_pause_of_all, end_pauses
from cronpilot.engine.planner import Changes
from cronpilot.storage import meta, pauses, runs
from cronpilot.storage.database import Connection, Database

FAR_BACK = timedelta(seconds=-60)  # the clock was set back further: everything is planned anew
SHOWN_S = 15 * 60.0  # how long a moved clock is told
COMMIT_S = 60.0  # how long a pass waits for its commit; a full disk answers long before


class Heartbeat:
    """Called on APScheduler's thread. It may raise StorageProblem; the next beat tries again."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        notices: Notices,
        soon: Callable[..., None],
        planned: Callable[[Changes], None],
        resumed: Callable[[], None],
        alive: Callable[[], None],
    ) -> None:
        """
        Args:
            soon: calls something in the engine's loop, where `notices` and `planned` live.
            planned: told what was resumed or planned anew.
            resumed: told that the pause of the whole scheduler has ended; on this very thread, for
                the pass that goes on is no longer paused.
            alive: told at every beat, on this thread too.
        """
        self._database, self._clock, self._notices = database, clock, notices
        self._soon, self._planned, self._resumed = soon, planned, resumed
        self._alive = alive
        self._step = timedelta()  # not written down yet
        self._told_at: float | None = None
        self.beaten_at = clock.elapsed()

    def __call__(self, step: timedelta, now: datetime) -> None:
        """One beat; `step` is how far the clock was moved since the last one."""
        self.beaten_at = self._clock.elapsed()
        self._alive()
        if step:
            self._tell(step, now)
            self._step += step
        elif self._told_at is not None and self._clock.elapsed() - self._told_at > SHOWN_S:
            self._told_at = None
            self._soon(self._notices.clear, "clock")
        if self._step:
            self._write_step(self._step, now)
            self._step = timedelta()
        self._end_pauses(now)
        self._end_pause_of_all(now)

    def _tell(self, step: timedelta, now: datetime) -> None:
        seconds = round(step.total_seconds())
        text = f"The clock moved {seconds:+d} s at {now:%Y-%m-%d %H:%M:%S} UTC."
        self._soon(self._notices.show, Banner(key="clock", text=text, severity="information"))
        self._told_at = self._clock.elapsed()

    def _write_step(self, step: timedelta, now: datetime) -> None:
        def write(connection: Connection) -> Changes:
            detail = f"{round(step.total_seconds()):+d} s"
            meta.note(connection, at=now, actor="engine", action="clock step", detail=detail)
            return _go_back(connection, step, now) if step < FAR_BACK else Changes()

        self._soon(self._planned, self._database.write(write).result(timeout=COMMIT_S))

    def _end_pauses(self, now: datetime) -> None:
        if not self._database.read(lambda connection: pauses.ended(connection, now)):
            return
        changes = self._database.write(lambda connection: end_pauses(connection, now))
        self._soon(self._planned, changes.result(timeout=COMMIT_S))

    def _end_pause_of_all(self, now: datetime) -> None:
        until = self._database.read(lambda c: meta.get_time(c, meta.PAUSED_UNTIL))
        if until is None or until > now:
            return
        ending = self._database.write(lambda connection: end_pause_of_all(connection, now))
        changes = ending.result(timeout=COMMIT_S)
        if changes is not None:
            self._resumed()
            self._soon(self._planned, changes)


def plan_anew_if_clock_went_back(connection: Connection, now: datetime) -> None:
    """At a start: the clock may have been set back while no engine was there to see it."""
    newest = meta.newest(connection)
    if newest is not None and now - newest < FAR_BACK:
        detail = f"{round((now - newest).total_seconds()):+d} s or more, while no engine ran"
        meta.note(connection, at=now, actor="engine", action="clock step", detail=detail)
        _go_back(connection, now - newest, now)


def _go_back(connection: Connection, step: timedelta, now: datetime) -> Changes:
    """Plan anew; retries wait as long as they were to."""
    changes = plan_all_from_now(connection, now)
    runs.move_retries(connection, step)
    changes.retries_moved = True
    return changes
