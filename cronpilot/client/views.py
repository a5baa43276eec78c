"""A task, a run and an attempt, as front ends show them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from cronpilot.client.message import Message
from cronpilot.domain.alarms import Alarms
from cronpilot.domain.choices import Missed, OnLost, Overlap, ScheduleType
from cronpilot.domain.notify import NotifyRules
from cronpilot.domain.run import Reason, Status, Trigger


class LastRun(Message):
    """The newest run of a task that met a verdict or goes on."""

    id: int
    status: Status
    reason: Reason | None = None
    scheduled_for: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_s: float | None = None
    exit_code: int | None = None


class TaskView(Message):
    """A task as front ends show it: its definition, its plan, its record."""

    id: int
    name: str
    description: str = ""
    command: str | list[str]
    shell: str = "/bin/sh"
    working_dir: str | None = None
    env: dict[str, str] = Field(default_factory=dict)
    env_file: str | None = None
    user: str | None = None
    schedule: str  # shorthand: `daily 02:30`
    schedule_type: ScheduleType
    schedule_config: dict[str, Any]
    schedule_words: str  # `every day at 02:30`
    schedule_brief: str = ""  # `Mon-Fri 06:30`; empty for what takes more words
    schedule_expression: str | None = None  # five fields; `hourly` and H have got their numbers
    timezone: str  # in force: its own, or the scheduler's
    own_timezone: str | None = None  # the one it sets itself
    active: bool = True
    overlap: Overlap = Overlap.SKIP
    missed: Missed = Missed.ONCE
    missed_limit: int = 10
    deadline: str | None = None
    spread: str = "0s"
    timeout: str | None = None
    stop_grace: str = "10s"
    max_retries: int = 0
    retry_delay: str = "1m"
    retry_backoff: float = 2.0
    retry_max_delay: str | None = None
    success_codes: list[int] = Field(default_factory=lambda: [0])
    on_lost: OnLost = OnLost.MARK
    pool: str | None = None
    priority: int = 0
    tags: list[str] = Field(default_factory=list)
    quiet: list[str] = Field(default_factory=list)
    notify: NotifyRules = Field(default_factory=NotifyRules)
    alarms: Alarms = Field(default_factory=Alarms)
    log_limit: int = 50_000_000
    keep: int | None = None
    limits: dict[str, Any] = Field(default_factory=dict)

    version: int = 1
    origin: Literal["file", "screen", "api"] = "file"
    differs_from_file: bool = False  # edited since its entry of tasks.yaml was applied
    archived_at: datetime | None = None  # taken away; its history is kept
    next_run_at: datetime | None = None
    next_quiet: str = ""  # the quiet time that will keep that slot from being started
    paused_at: datetime | None = None
    paused_until: datetime | None = None
    run_after_pause: bool = False  # its end makes up for what passed, with one run
    last_run: LastRun | None = None
    running: int = 0  # starting or running now
    queued: int = 0  # waiting for a slot
    retrying: int = 0
    runs: int = 0  # those that count: success, failed, timeout, error, lost
    successes: int = 0
    success_rate: float | None = None  # 0 to 1; None before the first run that counts
    average_duration_s: float | None = None
    last_verdicts: list[Status] = Field(default_factory=list)  # at most 20, oldest first


class RunView(Message):
    """One run: a slot that met a verdict, a manual start, or missed slots folded into one."""

    id: int
    task_id: int
    task_name: str
    trigger: Trigger
    scheduled_for: datetime | None
    status: Status
    reason: Reason | None = None
    detail: str = ""  # a sentence about this run: what the shell said, why it waits
    ahead: int | None = None  # of a queued one: how many are before it, in its pool if it has one
    exit_code: int | None = None
    signal: int | None = None
    attempts: int = 0
    max_attempts: int = 1
    queued_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    retry_at: datetime | None = None
    duration_s: float | None = None
    cpu_s: float | None = None
    max_rss: int | None = None  # bytes
    usual_s: float | None = None  # average duration of this task's counted runs
    # Of a run that goes on: the band in which nine of ten of its task's runs end, and from when on
    # it is an alarm; None while too few are known.
    usual_low_s: float | None = None
    usual_high_s: float | None = None
    alarm_s: float | None = None
    pid: int | None = None
    pool: str | None = None
    priority: int = 0
    actor: str = ""
    log_path: str | None = None
    log_size: int | None = None  # bytes, once the run has ended
    log_removed: bool = False  # by retention; `log_size` is what it was
    folded_until: datetime | None = (
        None  # the last slot of a folded row; `scheduled_for` is its first
    )
    folded_count: int = 1
    spread_s: float = 0.0  # how long after its slot the spread of its task lets it start
    # The variables of its newest attempt, secrets masked; None in lists, and before it had any.
    environment: dict[str, str] | None = None


class AttemptView(Message):
    """One try to start a run's command; some never came to it."""

    number: int  # from 1; a try that was not started uses up no number
    launch: int  # from 1; counts every try
    requested_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_s: float | None = None
    pid: int | None = None  # of its group of processes; another one may have the number by now
    exit_code: int | None = None
    signal: int | None = None
    outcome: Status | Literal["never"] | None = None  # None: it goes on
