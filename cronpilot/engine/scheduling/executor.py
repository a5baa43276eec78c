"""Takes what APScheduler submits, and lets it be: the verdict is made where the job is updated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from apscheduler.executors.base import BaseExecutor
from apscheduler.job import Job


class NotedExecutor(BaseExecutor):  # type: ignore[misc]
    """Never runs and never raises.

    An exception here would lose the slot: APScheduler logs it and moves `next_run_time` on. The run
    row and the new `next_run_at` are committed together by the job store, and what starts the
    command is the dispatcher.
    """

    def submit_job(self, job: Job, run_times: Sequence[datetime]) -> None:
        """Nothing to do yet: the job store is told of the same job in the same pass."""

    def _do_submit_job(self, job: Job, run_times: Sequence[datetime]) -> None:
        """Demanded by the base class; `submit_job` does not call it."""
