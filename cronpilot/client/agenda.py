"""What comes and what has been, as lists and as a picture: questions and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field

from cronpilot.client.messages import FireTime, Message, TaskSort
from cronpilot.domain.run import Status


class UpcomingQuery(Message):
    """Which planned starts. To page on, hand in the last one seen: its `starts_at` and task."""

    model_config = ConfigDict(defer_build=False)  # FastAPI reads its fields

    text: str = ""  # words of the task's name, any case; all of them
    since: AwareDatetime | None = None  # from this instant on; None: from now on
    after_task: int = 0  # of the starts at `since` itself, only those of tasks with a higher id
    until: AwareDatetime | None = None  # before this instant; None: a day from now
    limit: int = Field(default=200, ge=1, le=200)


class UpcomingStart(FireTime):
    """A planned start, and whom it meets if everything takes as long as usual."""

    paused: bool = False  # nothing comes of it as things stand
    usual_s: float | None = None
    pool: str | None = None
    together: int = 1  # how many go at its start, itself among them; 0 when paused
    waits: Literal["", "slots", "pool", "itself"] = ""  # why it will probably have to wait


class UpcomingPage(Message):
    """Starts, soonest first; `more`: there are further ones before the end that was asked for."""

    rows: list[UpcomingStart]
    more: bool


class HourLoad(Message):
    """How many starts are planned in an hour by the clock."""

    at: datetime
    starts: int


class TaskWithoutStart(Message):
    """A task of which nothing starts within a day."""

    task_id: int
    task_name: str
    next_run_at: datetime | None = None  # None: nothing is planned at all
    active: bool = True


class Outlook(Message):
    """The hours to come, without paused tasks; the first hour is counted from now on."""

    at: datetime
    hours: list[HourLoad]
    paused_tasks: int = 0
    tasks_without_start: int = 0
    without_start: list[TaskWithoutStart] = Field(default_factory=list)  # at most 50, soonest first


class TimelineQuery(Message):
    """Which tasks, in which order, and which stretch of time in how many cells."""

    model_config = ConfigDict(defer_build=False)  # FastAPI reads its fields

    since: AwareDatetime
    until: AwareDatetime
    cells: int = Field(default=100, ge=1, le=1000)
    text: str = ""  # as in TaskQuery
    sort: TaskSort = "id"
    descending: bool = False
    offset: int = Field(default=0, ge=0, le=2**53)
    limit: int = Field(default=50, ge=1, le=200)


class TimelineBar(Message):
    """A run, slots without one, or all of those that begin in the same cell."""

    run_id: int  # the newest of them
    at: datetime
    until: datetime | None = None  # None: it goes on
    status: Status  # the gravest of them
    count: int = 1


class TimelineRow(Message):
    """One task: what has been, and when it starts; of the starts in one cell the first."""

    id: int
    name: str
    active: bool = True
    paused: bool = False
    timezone: str = "UTC"
    next_run_at: datetime | None = None
    usual_s: float | None = None
    bars: list[TimelineBar] = Field(default_factory=list)
    starts: list[datetime] = Field(default_factory=list)


class Timeline(Message):
    """Rows of a query and how many tasks match in all."""

    rows: list[TimelineRow]
    total: int
