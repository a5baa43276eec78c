"""What all messages between an engine and those who look at it have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """Frozen, and lenient about fields that a newer engine adds."""

    # Each validator is built when it is first used: a command needs two or three of them.
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)
