"""What crosses between an engine and those who look at it.

Instants are aware UTC, in JSON with `Z`. Durations of runs are seconds as a number (`_s`), settings
are text with a unit (`90s`). Lists are in the order that their query names.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from cronpilot.domain.alarms import Alarms
from cronpilot.domain.choices import Missed, OnLost, Overlap, ScheduleType
from cronpilot.domain.incident import Fault
from cronpilot.domain.notify import NotifyRules
from cronpilot.domain.run import Reason, Status, Trigger


class Message(BaseModel):
    """Frozen, and lenient about fields that a newer engine adds."""

    # Each validator is built when it is first used: a command needs two or three of them.
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


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


class FireTime(Message):
    """A planned start."""

    task_id: int
    task_name: str
    scheduled_for: datetime  # the nominal instant
    starts_at: datetime  # with the task's spread
    timezone: str
    quiet: str = ""  # the quiet time that will keep it from being started


TaskSort = Literal["id", "name", "next_run_at", "last_run", "duration", "success_rate", "state"]
"""`duration`: the usual one. `state`: failing, going, at rest, paused, off, never run."""


class TaskQuery(Message):
    """Which tasks, in which order. `text` matches names, tags and commands, any case; `after` is
    the id of the last one already seen, wherever it stands in that order."""

    model_config = ConfigDict(defer_build=False)  # FastAPI reads its fields

    text: str = ""
    name: str | None = None  # exactly this one
    state: Literal["all", "active", "failing", "running", "paused"] = "all"
    sort: TaskSort = "id"
    descending: bool = False
    after: int | None = Field(default=None, ge=1, le=2**53)
    offset: int = Field(default=0, ge=0, le=2**53)
    limit: int = Field(default=200, ge=1, le=200)


class RunQuery(Message):
    """Which runs, newest first; `before` is the id of the last one already seen, `after` asks for
    those that follow upon a run."""

    model_config = ConfigDict(defer_build=False)  # FastAPI reads its fields

    task_id: int | None = None
    text: str = ""  # words of the task's name, any case; all of them
    status: list[Status] = Field(default_factory=list)
    bad: bool = False  # only those that failed, in whatever way
    since: datetime | None = None  # recorded at or after
    until: datetime | None = None  # recorded before
    active: bool = False  # only queued, starting, running, retrying: oldest first, all of them
    before: int | None = None
    after: int | None = None
    limit: int = Field(default=50, ge=1, le=200)


class TaskPage(Message):
    """Rows of a query and how many there are in all."""

    rows: list[TaskView]
    total: int


class RunPage(Message):
    """Rows of a query and how many there are in all; -1 where counting would cost too much."""

    rows: list[RunView]
    total: int


class LogChunk(Message):
    """Bytes of a run's output. `data` is raw: whoever shows it cleans it."""

    run_id: int
    offset: int  # of the first byte
    size: int  # of the file when it was read
    data: bytes
    ended: bool  # the run is over and this reaches its last byte
    # The offset of the byte after these: not offset + len(data) where a limit dropped a part of the
    # output, since `data` has one line in its place.
    end: int = Field(default_factory=lambda chunk: chunk["offset"] + len(chunk["data"]))


class LogEntry(Message):
    """One line of the list of logs."""

    run_id: int
    task_id: int
    task_name: str
    started_at: datetime | None
    status: Status
    size: int
    url: str


class ReloadResult(Message):
    """What reading tasks.yaml again did."""

    file: str | None
    added: list[str] = Field(default_factory=list)
    changed: list[str] = Field(default_factory=list)
    archived: list[str] = Field(default_factory=list)
    refused: list[str] = Field(default_factory=list)  # sentences
    overridden: list[str] = Field(default_factory=list)  # names: edited here, the file won


class Explanation(Message):
    """Why a task did or did not start at a time, or why nothing is planned."""

    task_id: int
    task_name: str
    at: datetime | None  # the moment asked about; None: now and what comes next
    verdict: str  # one sentence: `It ran and failed with exit code 1.`
    rule: str  # the rule behind it: `overlap: skip`, `missed: once`, `no slot`, `inactive` ...
    because: list[str] = Field(default_factory=list)  # further sentences, most important first
    runs: list[RunView] = Field(default_factory=list)  # the rows it speaks of, oldest first
    slot: datetime | None = None  # the slot it speaks of
    next_run_at: datetime | None = None


class FieldChange(Message):
    """One field of a definition, before and after, as tasks.yaml would have it."""

    field: str
    before: Any = None
    after: Any = None


class RevisionView(Message):
    """One change of a task's definition; the newest has the highest id."""

    id: int
    task_id: int
    task_name: str
    at: datetime
    actor: str
    version: int
    kind: Literal["created", "changed", "archived", "restored"] = "changed"
    changes: list[FieldChange] = Field(default_factory=list)


class FileDifference(Message):
    """How a task differs from its entry in tasks.yaml."""

    task_name: str
    kind: Literal["only in the file", "only here", "differs", "deleted here"]
    changes: list[FieldChange] = Field(default_factory=list)  # before: the file, after: here


# --- events --------------------------------------------------------------------------------------


class Fact(Message):
    """What happened. `id` names it for those who come back: `events(after=id)`; empty where the
    source does not number what it says."""

    id: str = Field(default="", exclude=True)


class TaskChanged(Fact):
    kind: Literal["task_changed"] = "task_changed"
    task: TaskView


class TaskRemoved(Fact):
    kind: Literal["task_removed"] = "task_removed"
    task_id: int


class RunChanged(Fact):
    kind: Literal["run_changed"] = "run_changed"
    run: RunView


class StatusChanged(Fact):
    kind: Literal["status_changed"] = "status_changed"
    status: EngineStatus


class Gap(Fact):
    """Events were lost (too old, or too many): read everything again."""

    kind: Literal["gap"] = "gap"


Event = Annotated[
    TaskChanged | TaskRemoved | RunChanged | StatusChanged | Gap, Field(discriminator="kind")
]
