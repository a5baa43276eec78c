"""How an engine does: who answers, the figures of the status bar, and what needs attention."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from cronpilot.client.message import Message
from cronpilot.client.views import LastRun, RunView
from cronpilot.domain.incident import Fault


class EngineInfo(Message):
    """Who answers."""

    id: str
    pid: int
    version: str
    host: str
    started_at: datetime
    state_dir: str
    database: str
    tasks_file: str | None = None
    role: Literal["screen", "headless"] = "headless"
    api: str | None = None  # where it answers on TCP


class Banner(Message):
    """Something that the user has to know now, and what to do about it."""

    key: str  # stable, so that it can be replaced or taken back
    text: str
    hint: str = ""
    severity: Literal["information", "warning", "error"] = "warning"


class EngineStatus(Message):
    """The figures of the status bar."""

    total_tasks: int
    active_tasks: int  # neither archived nor `active: false`
    scheduled_tasks: int  # with a next run
    running: int
    queued: int
    retrying: int = 0
    failing_tasks: int = 0  # whose last verdict was bad
    open_incidents: int = 0
    max_workers: int
    paused: bool = False  # the whole scheduler
    paused_until: datetime | None = None  # it goes on by itself then
    timezone: str = "UTC"
    next_run_at: datetime | None = None
    next_task: str | None = None
    engine: EngineInfo | None
    banners: list[Banner] = Field(default_factory=list)


class FailingTask(Message):
    """A task whose last verdict was bad."""

    task_id: int
    task_name: str
    last_run: LastRun
    failures: int  # in a row, as far as was looked back
    since: datetime | None = None  # when the first of them ended
    last_success_at: datetime | None = None  # None: never, or longer ago than was looked back


class PassedSlots(Message):
    """Slots of a task that passed without a run."""

    task_id: int
    task_name: str
    missed: int
    skipped: int
    newest: datetime  # when the last of them was recorded


class ClockStep(Message):
    """Somebody set the machine's clock."""

    at: datetime
    detail: str


class IncidentView(Message):
    """One fault of a task, from its first bad end to its recovery."""

    id: int
    task_id: int
    task_name: str
    fault: Fault
    since: datetime  # the first bad end
    count: int = 1  # bad ends in a row
    last_at: datetime
    detail: str = ""  # what is wrong, in a few words
    run_id: int | None = None  # the newest run it is about
    first_run_id: int | None = None
    opened_at: datetime
    told_at: datetime | None = None
    closed_at: datetime | None = None  # None: it is open
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    snoozed_until: datetime | None = None


class TellingState(Message):
    """How sending goes."""

    waiting: int = 0  # messages that are not sent yet, or failed and will be tried again
    oldest_at: datetime | None = None
    gave_up: int = 0  # in the last 7 days
    error: str = ""  # why the newest one that was not taken was not
    error_at: datetime | None = None
    error_target: str = ""
    sent_at: datetime | None = None
    dropped: int = 0  # since the engine started: there was no room for more


class QuietStretch(Message):
    """When a quiet time of config.yaml holds, now or next."""

    name: str
    then: Literal["skip", "after"]
    starts_at: datetime
    ends_at: datetime
    task_count: int = 0
    skips: int = 0  # slots that it will skip, of those to come soon


class Health(Message):
    """What needs attention, and how the engine and its machine are doing. At most 50 of a kind."""

    at: datetime
    banners: list[Banner] = Field(default_factory=list)
    incidents: list[IncidentView] = Field(default_factory=list)  # open ones, newest first
    telling: TellingState = Field(default_factory=TellingState)
    failing: list[FailingTask] = Field(default_factory=list)  # last run first
    failing_tasks: int = 0  # how many there are in all
    retrying: list[RunView] = Field(default_factory=list)
    passed: list[PassedSlots] = Field(default_factory=list)  # of the last 24 h, most missed first
    late: list[RunView] = Field(default_factory=list)  # a minute or more, in 24 h, newest first
    clock_steps: list[ClockStep] = Field(default_factory=list)  # of the last 7 days, newest first
    disk_free: int  # bytes, on the disk of the state directory
    disk_size: int
    database_size: int
    logs_size: int
    logs_measured: bool = True  # False: there are more, measuring them all takes too long
    copied_at: datetime | None = None  # the newest nightly copy of the database
    quiet: list[QuietStretch] = Field(default_factory=list)  # within 7 days, soonest first
    engine: EngineInfo | None
    keeper_pid: int | None = None  # None: nothing runs, so there is none
    engine_log: list[str] = Field(default_factory=list)  # its last lines, newest last
