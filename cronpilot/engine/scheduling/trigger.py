"""When a task fires, in the form that APScheduler asks for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from apscheduler.triggers.base import BaseTrigger

from cronpilot.domain.plan import next_run_at
from cronpilot.domain.schedule import FireTimes


class TaskTrigger(BaseTrigger):  # type: ignore[misc]
    """The fire time after `previous`; where that has passed, too, the first one after `now`.

    APScheduler asks once for each fire time that passed; a minutely task after a year would be
    asked 525,600 times (9 s measured). So the answer is never in the past, and what passed is
    counted by `plan` instead. (What follows upon `previous` is also what `plan` asks first.)
    """

    __slots__ = ("_answer", "_asked", "_offset", "_times")

    def __init__(self, times: FireTimes, offset: timedelta) -> None:
        self._times, self._offset = times, offset
        self._asked: datetime | None = None
        self._answer: datetime | None = None

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        start = now if previous_fire_time is None else previous_fire_time
        if start != self._asked:  # it asks the same twice in a pass
            self._asked = start
            answer = next_run_at(self._times, self._offset, start)
            if answer is not None and answer <= now:
                answer = next_run_at(self._times, self._offset, now)
            self._answer = answer
        return self._answer
