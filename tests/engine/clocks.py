"""A clock that goes on by itself and can be set, as a person or a suspend would."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class SetClock:
    """Starts at a moment of our choice."""

    def __init__(self, start: datetime) -> None:
        self._lead = start - datetime.now(UTC)
        self._slept = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + self._lead

    def elapsed(self) -> float:
        return time.monotonic() + self._slept

    def step(self, by: timedelta) -> None:
        """Somebody sets the wall clock; or the machine was suspended, which looks alike."""
        self._lead += by

    def pass_by(self, by: timedelta) -> None:
        """Time goes by, on both clocks."""
        self._lead += by
        self._slept += by.total_seconds()
