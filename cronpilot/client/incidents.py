"""Incidents and telling: questions and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from cronpilot.client.messages import IncidentView, Message


class IncidentQuery(Message):
    """Which incidents, newest first. To page on, hand in the last id seen as `before`."""

    model_config = ConfigDict(defer_build=False)  # FastAPI reads its fields

    state: Literal["open", "closed", "all"] = "open"
    task_id: int | None = None
    before: int | None = None
    limit: int = Field(default=50, ge=1, le=200)


class IncidentEventView(Message):
    """One line of a timeline."""

    at: datetime
    # opened, repeated, reminded, acknowledged, snoozed, told, not told, recovered, closed
    kind: str
    actor: str = ""
    run_id: int | None = None
    detail: str = ""


class IncidentStory(IncidentView):
    """An incident with its timeline, oldest first."""

    events: list[IncidentEventView] = Field(default_factory=list)


class Delivered(Message):
    """What became of a test message."""

    target: str  # `mail:ops@example.org`, `channel:chat`
    error: str = ""  # empty: it was taken
    took_s: float = 0.0
