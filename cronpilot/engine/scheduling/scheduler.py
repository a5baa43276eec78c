"""Builds APScheduler's scheduler on its own thread."""

from __future__ import annotations

import logging
from datetime import UTC

from apscheduler.schedulers.background import BackgroundScheduler

from cronpilot.engine.scheduling.executor import NotedExecutor
from cronpilot.engine.scheduling.job_store import TaskJobStore
from cronpilot.runner.keeper.turns import take_short_turns

RETRY_S = 1  # after the database did not answer


class Scheduler:
    """The clock: wakes when the next task is due, and lets the job store decide."""

    def __init__(self, store: TaskJobStore) -> None:
        # What it says of jobs is said better by the job store, in words for people.
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler = _PromptScheduler(
            timezone=UTC,
            jobstores={"default": store},
            executors={"default": NotedExecutor()},
            jobstore_retry_interval=RETRY_S,
        )

    def start(self) -> None:
        self._scheduler.start()

    def wakeup(self) -> None:
        """Look again now: a task was added, edited or resumed."""
        if self._scheduler.running:
            self._scheduler.wakeup()

    def stop(self) -> None:
        """Return when the pass that may be under way is over."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)


class _PromptScheduler(BackgroundScheduler):  # type: ignore[misc]
    """Its thread is woken soon after the instant also where others want the cores."""

    def _main_loop(self) -> None:
        take_short_turns()
        super()._main_loop()
