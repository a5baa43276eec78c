"""The tables. What a user may set comes from TaskSpec; what only a row has is added here.

`table=True` switches pydantic's validation off: a Task is made from a TaskSpec that was validated.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict
from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from cronpilot.domain.run import ACTIVE, Reason, Status, Trigger
from cronpilot.domain.schedule import Schedule
from cronpilot.domain.task import Limits, Missed, Notify, OnLost, Overlap, TaskSpec
from cronpilot.storage.columns import Milliseconds, Model, UTCDateTime, Word, one_of

_ACTIVE_WORDS = ", ".join(f"'{status}'" for status in Status if status in ACTIVE)

# The query for what is due repeats this text to the letter, or SQLite does not use the index.
PLANNED = "next_run_at IS NOT NULL AND paused_at IS NULL AND archived_at IS NULL"
OPEN = f"status IN ({_ACTIVE_WORDS})"

WIDE = ("spec", "environment")  # columns of a run that no list needs
_JSON_OR_NULL = JSON(none_as_null=True)
_NEVER_AGAIN = {"sqlite_autoincrement": True}  # ids name log files: none is given out twice


class Origin(StrEnum):
    """Where a task's definition came from."""

    FILE = "file"
    SCREEN = "screen"
    API = "api"


def _instant(**options: Any) -> Any:
    return Field(default=None, sa_type=UTCDateTime, **options)


class Task(TaskSpec, SQLModel, table=True):
    """A task: its definition, its plan, its record."""

    model_config = ConfigDict(extra="ignore", arbitrary_types_allowed=True)  # type: ignore[assignment]
    __table_args__ = (
        Index("task_due", "next_run_at", sqlite_where=text(PLANNED)),
        Index("task_pause_end", "paused_until", sqlite_where=text("paused_until IS NOT NULL")),
        Index("task_name", "name", unique=True, sqlite_where=text("archived_at IS NULL")),
        one_of("overlap", Overlap, "task_overlap_known"),
        one_of("missed", Missed, "task_missed_known"),
        one_of("on_lost", OnLost, "task_on_lost_known"),
        one_of("notify", Notify, "task_notify_known"),
        one_of("origin", Origin, "task_origin_known"),
        _NEVER_AGAIN,
    )

    id: int | None = Field(default=None, primary_key=True)

    command: str | list[str] = Field(sa_type=JSON)
    env: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    schedule: Schedule = Field(sa_type=Model(Schedule))
    overlap: Overlap = Field(default=Overlap.SKIP, sa_type=Word(Overlap))
    missed: Missed = Field(default=Missed.ONCE, sa_type=Word(Missed))
    deadline: timedelta | None = Field(default=None, sa_type=Milliseconds)
    spread: timedelta = Field(default=timedelta(), sa_type=Milliseconds)
    timeout: timedelta | None = Field(default=None, sa_type=Milliseconds)
    stop_grace: timedelta = Field(default=timedelta(seconds=10), sa_type=Milliseconds)
    retry_delay: timedelta = Field(default=timedelta(seconds=60), sa_type=Milliseconds)
    retry_max_delay: timedelta | None = Field(default=None, sa_type=Milliseconds)
    success_codes: list[int] = Field(default_factory=lambda: [0], sa_type=JSON)
    on_lost: OnLost = Field(default=OnLost.MARK, sa_type=Word(OnLost))
    tags: list[str] = Field(default_factory=list, sa_type=JSON)
    notify: Notify = Field(default=Notify.FAILURE, sa_type=Word(Notify))
    limits: Limits = Field(default_factory=Limits, sa_type=Model(Limits))

    next_run_at: datetime | None = _instant()  # nominal instant + spread; NULL = nothing planned
    resolved: str = ""  # see domain.schedule.resolve
    zone_key: str = "UTC"  # the zone `resolved` is read in
    version: int = 1  # optimistic lock; rises with every edit
    origin: Origin = Field(default=Origin.FILE, sa_type=Word(Origin))
    entry_file: str | None = None  # the tasks file that declares it: only that file archives it
    entry_name: str | None = None  # what the entry calls it, also after a rename on the screen
    entry_hash: str | None = None  # of its entry as it was last applied
    spec_hash: str = ""  # of the definition as it is; not entry_hash: edited since
    created_at: datetime = Field(sa_type=UTCDateTime)
    paused_at: datetime | None = _instant()
    paused_until: datetime | None = _instant()
    archived_at: datetime | None = _instant()
    tombstone: bool = False  # deleted by hand: its unchanged entry does not bring it back

    last_run_id: int | None = None
    runs: int = 0
    successes: int = 0
    duration_ms: int = 0  # of the successes, summed
    last_verdicts: list[str] = Field(default_factory=list, sa_type=JSON)  # at most 20, oldest first


class Run(SQLModel, table=True):
    """A slot that met a verdict, a manual start, or missed slots folded into one row."""

    __table_args__ = (
        UniqueConstraint("task_id", "scheduled_for", name="run_slot"),
        UniqueConstraint("request_id", name="run_request"),
        Index("run_task", "task_id", "id"),
        Index("run_status", "status", "id"),
        Index("run_finished", "finished_at", "id"),
        Index("run_open", "task_id", "id", sqlite_where=text(OPEN)),
        Index("run_queue", text("priority DESC"), "id", sqlite_where=text("status = 'queued'")),
        one_of("status", Status, "run_status_known"),
        one_of("reason", Reason, "run_reason_known"),
        one_of('"trigger"', Trigger, "run_trigger_known"),
        _NEVER_AGAIN,
    )

    id: int | None = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id")
    task_version: int
    trigger: Trigger = Field(sa_type=Word(Trigger))
    scheduled_for: datetime | None = _instant()  # nominal; NULL for a manual start
    folded_until: datetime | None = _instant()  # of a folded row: its last slot
    folded_count: int = 1
    status: Status = Field(sa_type=Word(Status))
    reason: Reason | None = Field(default=None, sa_type=Word(Reason))
    detail: str = ""
    priority: int = 0
    pool: str | None = None
    attempts: int = 0  # commands really started
    launches: int = 0  # starts asked of the keeper; names the record file
    queued_at: datetime = Field(sa_type=UTCDateTime)
    started_at: datetime | None = _instant()  # of the first attempt
    finished_at: datetime | None = _instant()
    retry_at: datetime | None = _instant()
    exit_code: int | None = None
    signal: int | None = None
    cpu_ms: int | None = None
    max_rss: int | None = None  # bytes
    log_size: int | None = None  # bytes, when it ended
    # by retention; said before the file goes. Its default is the table's: who records needs no word
    log_removed: bool = Field(default=False, sa_column_kwargs={"server_default": "0"})
    actor: str = ""
    request_id: str | None = None
    # A test that neither heeds other runs of its task nor is heeded by them.
    beside: bool = Field(default=False, sa_column_kwargs={"server_default": text("0")})
    # The definition that a test runs, where it is not that of its task.
    spec: dict[str, Any] | None = Field(default=None, sa_type=_JSON_OR_NULL)
    environment: dict[str, str] | None = Field(default=None, sa_type=_JSON_OR_NULL)  # masked


class Attempt(SQLModel, table=True):
    """One launch of a run's command."""

    __table_args__ = (UniqueConstraint("run_id", "launch", name="attempt_launch"),)

    id: int | None = Field(default=None, primary_key=True)
    run_id: int = Field(foreign_key="run.id")
    launch: int
    number: int  # which attempt this launch is, or was to be
    boot_id: str
    requested_at: datetime = Field(sa_type=UTCDateTime)
    started_at: datetime | None = _instant()
    finished_at: datetime | None = _instant()
    pid: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    outcome: str | None = None  # the status it would have given its run; `never` if not started


class Revision(SQLModel, table=True):
    """A change of a task's definition: who, when, before and after."""

    __table_args__ = (Index("revision_task", "task_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id")
    at: datetime = Field(sa_type=UTCDateTime)
    actor: str
    version: int
    before: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    after: dict[str, Any] | None = Field(default=None, sa_type=JSON)


class Audit(SQLModel, table=True):
    """Who did what: starts, stops, pauses, edits, engine starts, clock steps."""

    __table_args__ = (Index("audit_at", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime)
    actor: str
    action: str
    task_id: int | None = None
    run_id: int | None = None
    detail: str = ""


class Setting(SQLModel, table=True):
    """What the database itself remembers: installation id, tasks file, scheduler pause."""

    key: str = Field(primary_key=True)
    value: str
