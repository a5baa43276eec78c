"""The tables. What a user may set comes from TaskSpec; what only a row has is added here.

`table=True` switches pydantic's validation off: a Task is made from a TaskSpec that was validated.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict
from sqlalchemy import JSON, CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from cronpilot.domain.access import Role
from cronpilot.domain.alarms import Alarms
from cronpilot.domain.incident import Fault
from cronpilot.domain.notify import NotifyRules
from cronpilot.domain.run import ACTIVE, Reason, Status, Trigger
from cronpilot.domain.schedule import Schedule
from cronpilot.domain.task import Limits, Missed, OnLost, Overlap, TaskSpec
from cronpilot.storage.columns import (
    Milliseconds,
    Model,
    ModelText,
    UTCDateTime,
    Word,
    any_of,
    one_of,
)

# The query for what is due repeats this text to the letter, or SQLite does not use the index.
PLANNED = "next_run_at IS NOT NULL AND paused_at IS NULL AND archived_at IS NULL"
_OPEN_WORDS = [status for status in Status if status in ACTIVE]
OPEN = any_of("status", _OPEN_WORDS)
OTHER_OPEN = any_of("other.status", _OPEN_WORDS)  # of a run that is called `other`

WIDE = ("spec", "environment")  # columns of a run that no list needs
_JSON_OR_NULL = JSON(none_as_null=True)
_NEVER_AGAIN = {"sqlite_autoincrement": True}  # ids name log files: none is given out twice


class Origin(StrEnum):
    """Where a task's definition came from."""

    FILE = "file"
    SCREEN = "screen"
    API = "api"


class Delivery(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    SENDING = "sending"  # after a crash nobody knows whether it arrived: it is sent again
    SENT = "sent"
    GAVE_UP = "gave_up"


def _instant(**options: Any) -> Any:
    return Field(default=None, sa_type=UTCDateTime, **options)


class _Row(SQLModel):
    """No validator is built: rows are read and written by column, and checked before."""

    model_config = ConfigDict(defer_build=True)  # type: ignore[assignment]


class Task(TaskSpec, _Row, table=True):
    """A task: its definition, its plan, its record."""

    model_config = ConfigDict(extra="ignore", arbitrary_types_allowed=True, defer_build=True)
    __table_args__ = (
        Index("task_due", "next_run_at", sqlite_where=text(PLANNED)),
        Index("task_pause_end", "paused_until", sqlite_where=text("paused_until IS NOT NULL")),
        Index("task_silent", "id", sqlite_where=text("instr(alarms, 'silent') > 0")),
        Index("task_name", "name", unique=True, sqlite_where=text("archived_at IS NULL")),
        one_of("overlap", Overlap, "task_overlap_known"),
        one_of("missed", Missed, "task_missed_known"),
        one_of("on_lost", OnLost, "task_on_lost_known"),
        # Its first schema held a word here; the rule keeps the name it had.
        CheckConstraint("json_valid(notify)", name="task_notify_known"),
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
    quiet: list[str] = Field(
        default_factory=list, sa_type=JSON, sa_column_kwargs={"server_default": "[]"}
    )
    notify: NotifyRules = Field(default_factory=NotifyRules, sa_type=ModelText(NotifyRules))
    alarms: Alarms = Field(
        default_factory=Alarms, sa_type=Model(Alarms), sa_column_kwargs={"server_default": '"auto"'}
    )
    limits: Limits = Field(default_factory=Limits, sa_type=Model(Limits))

    next_run_at: datetime | None = _instant()  # nominal instant + spread; NULL = nothing planned
    resolved: str = ""  # see domain.schedule.resolve
    zone_key: str = "UTC"  # the zone `resolved` is read in
    quiet_key: str = Field(  # its quiet times as they are in config.yaml; see domain.quiet.to_key
        default="", sa_column_kwargs={"server_default": ""}
    )
    version: int = 1  # optimistic lock; rises with every edit
    origin: Origin = Field(default=Origin.FILE, sa_type=Word(Origin))
    entry_file: str | None = None  # the tasks file that declares it: only that file archives it
    entry_name: str | None = None  # what the entry calls it, also after a rename on the screen
    entry_hash: str | None = None  # of its entry as it was last applied
    spec_hash: str = ""  # of the definition as it is; not entry_hash: edited since
    created_at: datetime = Field(sa_type=UTCDateTime)
    paused_at: datetime | None = _instant()
    paused_until: datetime | None = _instant()
    run_after_pause: bool = Field(  # its end makes up for what passed, with one run
        default=False, sa_column_kwargs={"server_default": "0"}
    )
    archived_at: datetime | None = _instant()
    tombstone: bool = False  # deleted by hand: its unchanged entry does not bring it back

    last_run_id: int | None = None
    runs: int = 0
    successes: int = 0
    duration_ms: int = 0  # of the successes, summed
    last_verdicts: list[str] = Field(default_factory=list, sa_type=JSON)  # at most 20, oldest first


class Run(_Row, table=True):
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


class Attempt(_Row, table=True):
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


class Revision(_Row, table=True):
    """A change of a task's definition: who, when, before and after."""

    __table_args__ = (Index("revision_task", "task_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id")
    at: datetime = Field(sa_type=UTCDateTime)
    actor: str
    version: int
    before: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    after: dict[str, Any] | None = Field(default=None, sa_type=JSON)


class Audit(_Row, table=True):
    """Who did what: starts, stops, pauses, edits, engine starts, clock steps."""

    __table_args__ = (Index("audit_at", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UTCDateTime)
    actor: str
    action: str
    task_id: int | None = None
    run_id: int | None = None
    detail: str = ""


class User(_Row, table=True):
    """Somebody who may come in over the network."""

    __table_args__ = (one_of("role", Role, "user_role_known"),)

    name: str = Field(primary_key=True)
    role: Role = Field(sa_type=Word(Role))
    password_hash: str  # argon2id
    created_at: datetime = Field(sa_type=UTCDateTime)
    password_set_at: datetime = Field(sa_type=UTCDateTime)


class BrowserSession(_Row, table=True):
    """Somebody's stay in the panel, by the hash of its token."""

    __tablename__ = "session"

    key: str = Field(primary_key=True)
    name: str
    opened_at: datetime = Field(sa_type=UTCDateTime)
    used_at: datetime = Field(sa_type=UTCDateTime)


class Incident(_Row, table=True):
    """A fault of a task: from its first bad end to its recovery. See `domain.incident`."""

    __table_args__ = (
        Index("incident_standing", "task_id", "fault", unique=True,
              sqlite_where=text("closed_at IS NULL")),
        Index("incident_task", "task_id", "id"),
        Index("incident_closed", "closed_at", "id"),
        one_of("fault", Fault, "incident_fault_known"),
        _NEVER_AGAIN,
    )  # fmt: skip

    id: int | None = Field(default=None, primary_key=True)
    task_id: int = Field(foreign_key="task.id")
    fault: Fault = Field(sa_type=Word(Fault))
    since: datetime = Field(sa_type=UTCDateTime)
    count: int = 1  # bad ends in a row
    last_at: datetime = Field(sa_type=UTCDateTime)
    run_id: int | None = None  # the newest run it is about
    first_run_id: int | None = None
    detail: str = ""  # a sentence: what is wrong
    opened_at: datetime | None = _instant()  # NULL: not yet often enough in a row
    told_at: datetime | None = _instant()
    closed_at: datetime | None = _instant()
    acknowledged_at: datetime | None = _instant()
    acknowledged_by: str = ""
    snoozed_until: datetime | None = _instant()


class IncidentEvent(_Row, table=True):
    """One line of an incident's timeline."""

    __tablename__ = "incident_event"
    __table_args__ = (Index("incident_event_of", "incident_id", "id"),)

    id: int | None = Field(default=None, primary_key=True)
    incident_id: int = Field(foreign_key="incident.id")
    at: datetime = Field(sa_type=UTCDateTime)
    kind: str
    actor: str = ""
    run_id: int | None = None
    detail: str = ""


class Outbox(_Row, table=True):
    """What is to be told to one target, until it is told or given up."""

    __table_args__ = (
        Index("outbox_due", "due_at", sqlite_where=text("status IN ('waiting', 'sending')")),
        Index("outbox_status", "status", "id"),
        one_of("status", Delivery, "outbox_status_known"),
        _NEVER_AGAIN,
    )

    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime = Field(sa_type=UTCDateTime)
    due_at: datetime = Field(sa_type=UTCDateTime)
    target: str  # `mail:ops@example.org`, `channel:ops`, `ping`
    alike: str = ""  # what has the same target and this goes into one message
    status: Delivery = Field(default=Delivery.WAITING, sa_type=Word(Delivery))
    batch: str | None = None  # the message it went into; names it also for whoever receives it
    tries: int = 0
    error: str = ""
    sent_at: datetime | None = _instant()
    task_id: int | None = None
    incident_id: int | None = None
    run_id: int | None = None
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class News(_Row, table=True):
    """A run that has ended (or started) and that nobody has judged yet.

    Filled by triggers of the database, in the transaction that ends the run: no way to a verdict
    can forget it, and no crash can lose it.
    """

    __table_args__ = (Index("news_task", "task_id"),)

    id: int | None = Field(default=None, primary_key=True)
    task_id: int
    run_id: int
    what: str  # `start`, `end`


class Setting(_Row, table=True):
    """What the database itself remembers: installation id, tasks file, scheduler pause."""

    key: str = Field(primary_key=True)
    value: str
