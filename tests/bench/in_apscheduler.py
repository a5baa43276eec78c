"""Run by bench_peers with APScheduler's own Python: measures it and prints the figures as JSON.

    python in_apscheduler.py FOLDER DUE RUNS

Nothing of ours can be imported here.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.executors.base import BaseExecutor
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_RUNNING, BaseScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import create_engine, event

PARALLEL = 8
AS_OURS = ("journal_mode=WAL", "synchronous=FULL")  # as cronpilot.storage opens its database


class Nothing(BaseExecutor):
    """Runs no job, so that what is left is the scheduler and its store."""

    def _do_submit_job(self, job: object, run_times: object) -> None: ...


class Still(BaseScheduler):
    """Has no thread. The one of BackgroundScheduler makes a last pass when it is told to stop."""

    def wakeup(self) -> None: ...

    def shutdown(self, wait: bool = True) -> None:
        super().shutdown(wait)


def paused(
    kind: type[BaseScheduler], path: str, executor: BaseExecutor, *pragmas: str
) -> BaseScheduler:
    """A scheduler that stands still, on a SQLite store whose connections begin with `pragmas`."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    scheduler = kind(
        jobstores={"default": SQLAlchemyJobStore(engine=engine)},
        executors={"default": executor},
        timezone=UTC,
    )
    scheduler.start(paused=True)
    return scheduler


def fill(path: str, jobs: int) -> None:
    """So many daily jobs, all due. Nothing is flushed meanwhile: this is not what is measured."""
    scheduler = paused(Still, path, Nothing(), "synchronous=OFF")
    due = datetime.now(UTC) - timedelta(seconds=1)
    for number in range(jobs):
        scheduler.add_job(
            "subprocess:run",
            CronTrigger.from_crontab("30 2 * * *", UTC),
            args=[["/bin/sh", "-c", "true"]],
            id=f"job {number:05}",
            next_run_time=due,
            misfire_grace_time=None,
        )
    scheduler.shutdown()


def one_pass(path: str, jobs: int, *pragmas: str) -> tuple[float, float]:
    """Wall and CPU seconds of one look at the store: all is due, all is submitted."""
    fill(path, jobs)
    scheduler = paused(Still, path, Nothing(), *pragmas)
    scheduler.state = STATE_RUNNING
    began, cpu = time.perf_counter(), time.process_time()
    scheduler._process_jobs()
    figures = time.perf_counter() - began, time.process_time() - cpu
    scheduler.shutdown()
    return figures


def cpu_of_all() -> float:
    each = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in each)


def counting(wanted: int, reached: threading.Event) -> Callable[[object], None]:
    """A listener that sets `reached` at the last of so many calls, from any thread."""
    calls = 0
    lock = threading.Lock()

    def listen(_: object) -> None:
        nonlocal calls
        with lock:
            calls += 1
            if calls == wanted:
                reached.set()

    return listen


def whole_runs(path: str, runs: int) -> tuple[float, float]:
    """Wall and CPU seconds of so many runs of `sh -c true` from its pool of threads."""
    fill(path, runs)
    scheduler = paused(BackgroundScheduler, path, ThreadPoolExecutor(PARALLEL))
    done = threading.Event()
    scheduler.add_listener(counting(runs, done), EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    began, cpu = time.perf_counter(), cpu_of_all()
    scheduler.resume()
    if not done.wait(30):
        raise TimeoutError(f"not all of {runs} runs were done after 30 s")
    figures = time.perf_counter() - began, cpu_of_all() - cpu
    scheduler.shutdown()
    return figures


if __name__ == "__main__":
    folder, due, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print(
        json.dumps(
            {
                "default": one_pass(f"{folder}/default.db", due),
                "wal": one_pass(f"{folder}/wal.db", due, *AS_OURS),
                "runs": whole_runs(f"{folder}/runs.db", runs),
            }
        )
    )
