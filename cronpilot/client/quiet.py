"""Quiet times as a front end sees them."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from cronpilot.client.messages import FireTime, Message
from cronpilot.domain.quiet import Then


class QuietTime(Message):
    """A quiet time of config.yaml: when it holds next, for which tasks, and what it keeps still.

    `key` is its definition as `cronpilot.domain.quiet.from_key` reads it.
    """

    name: str
    then: Then
    key: str
    starts_at: datetime | None = None  # of the stretch that holds now or comes next
    ends_at: datetime | None = None
    tasks: list[str] = Field(default_factory=list)  # names; at most 50
    task_count: int = 0
    skips: list[FireTime] = Field(default_factory=list)  # the next slots that fall into it
