"""What runs take of the machine now, and what passed while no engine was there."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from cronpilot.client.messages import Message, RunView


class RunUsage(Message):
    """What the processes of a run take together."""

    run_id: int
    cpu_percent: float | None = None  # of one core, since it was last asked for; None at first
    rss: int  # bytes
    processes: int


class Downtime(Message):
    """A stretch without an engine before the one that answers, and what it did about it."""

    since: datetime
    until: datetime
    missed_slots: int  # that were not made up for
    made_up: int  # runs that were started late
    missed: list[RunView] = Field(default_factory=list)  # folded rows; at most 200
    runs: list[RunView] = Field(default_factory=list)  # those started late; at most 200
