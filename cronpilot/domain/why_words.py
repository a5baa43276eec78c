"""The small words of an explanation: moments, lengths, how a command ended."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from cronpilot.domain.duration import format_duration


class Tried(Protocol):
    """An attempt, as far as a sentence about it needs it."""

    @property
    def started_at(self) -> datetime: ...
    @property
    def finished_at(self) -> datetime | None: ...
    @property
    def exit_code(self) -> int | None: ...
    @property
    def signal(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells moments in one zone."""

    zone: ZoneInfo

    def at(self, instant: datetime) -> str:
        """`2026-03-05 02:30 CET`; seconds only where they are not zero."""
        local = instant.astimezone(self.zone)
        clock = "%H:%M:%S" if local.second else "%H:%M"
        return f"{local:%Y-%m-%d {clock} %Z}"

    def length(self, value: timedelta) -> str:
        """`0.4s` below ten seconds, whole seconds above."""
        if value < timedelta(seconds=10):
            return f"{value.total_seconds():.1f}s"
        return format_duration(timedelta(seconds=round(value.total_seconds())))

    def ending(self, exit_code: int | None, number: int | None) -> str:
        """`exit code 1`, `signal 9 (SIGKILL)`."""
        if number:
            try:
                return f"signal {number} ({signal.Signals(number).name})"
            except ValueError:
                return f"signal {number}"
        return "an exit code that is not known" if exit_code is None else f"exit code {exit_code}"

    def attempt(self, number: int, tried: Tried) -> str:
        """One line about an attempt."""
        if tried.finished_at is None:
            return f"Attempt {number} began at {self.at(tried.started_at)}."
        how = self.ending(tried.exit_code, tried.signal)
        return f"Attempt {number} began at {self.at(tried.started_at)}: {how}."
