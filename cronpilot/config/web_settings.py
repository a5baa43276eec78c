"""The settings of the admin panel in the browser."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field, field_validator

from cronpilot.domain.duration import Duration


class WebSettings(BaseModel):
    """Whether the API's port shows the panel, and what its tabs may cost: a process each."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    enabled: bool = Field(default=True, strict=True)
    tabs: int = Field(default=4, ge=1, le=100, strict=True)  # open at once, of all users
    idle: Duration = timedelta(hours=1)  # a tab without a key or a move of the mouse is closed

    @field_validator("idle")
    @classmethod
    def _a_minute_at_least(cls, idle: timedelta) -> timedelta:
        if idle < timedelta(minutes=1):
            raise ValueError("must be a minute (1m) or more")
        return idle
