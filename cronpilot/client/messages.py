"""What crosses between an engine and those who look at it.

Instants are aware UTC, in JSON with `Z`. Durations of runs are seconds as a number (`_s`), settings
are text with a unit (`90s`). Lists are in the order that their query names.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from cronpilot.client.condition import (
    Banner,
    ClockStep,
    EngineInfo,
    EngineStatus,
    FailingTask,
    Health,
    IncidentView,
    PassedSlots,
    QuietStretch,
    TellingState,
)
from cronpilot.client.message import Message
from cronpilot.client.views import AttemptView, LastRun, RunView, TaskView
from cronpilot.domain.run import Status

__all__ = [
    "AttemptView",
    "Banner",
    "ClockStep",
    "EngineInfo",
    "EngineStatus",
    "Event",
    "Explanation",
    "Fact",
    "FailingTask",
    "FieldChange",
    "FileDifference",
    "FireTime",
    "Gap",
    "Health",
    "IncidentView",
    "LastRun",
    "LogChunk",
    "LogEntry",
    "Message",
    "PassedSlots",
    "QuietStretch",
    "ReloadResult",
    "RevisionView",
    "RunChanged",
    "RunPage",
    "RunQuery",
    "RunView",
    "StatusChanged",
    "TaskChanged",
    "TaskPage",
    "TaskQuery",
    "TaskRemoved",
    "TaskSort",
    "TaskView",
    "TellingState",
]


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
    """Which tasks, in which order. `text` matches names, tags and (`in_commands`) commands, any
    case; `after` is the id of the last one already seen, wherever it stands in that order."""

    model_config = ConfigDict(defer_build=False)  # FastAPI reads its fields

    text: str = ""
    in_commands: bool = True  # never for a viewer, who could guess what is masked in them
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
