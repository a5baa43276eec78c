"""The time, and whether somebody has been watching it without a break."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

NOTICEABLE = timedelta(seconds=2)  # a step that a person is told of; NTP slews far below it
ASLEEP = timedelta(
    seconds=30
)  # the heartbeat looks every 5 s: no look for so long is a stopped process
_AT_ONCE_S = 0.2  # between two readings that belong together
_READINGS = 10


class Clock(Protocol):
    """Where the engine reads the time."""

    def now(self) -> datetime:
        """The wall clock, aware UTC."""
        ...

    def elapsed(self) -> float:
        """Seconds on a clock that nobody sets, from an arbitrary start."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def elapsed(self) -> float:
        return time.monotonic()


class ClockWatch:
    """Notices steps of the wall clock, suspends, and long stops of this process.

    `look` is called from several threads: at each pass over due tasks, and by the heartbeat.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._wall, self._steady = self._both()
        self._watched_since = self._wall

    @property
    def watched_since(self) -> datetime:
        """From when on the clock has been watched without a break."""
        return self._watched_since

    @property
    def seen_at(self) -> datetime:
        """What the wall clock showed at the last look. Decisions go by that, not by a further
        reading: a step between the two would look like time that somebody watched."""
        return self._wall

    def look(self) -> timedelta:
        """By how much the wall clock moved against the steady one since the last look.

        Positive: forward, or a suspend. Zero below `NOTICEABLE`. After a break (also one in which
        both clocks went on and nobody looked) `watched_since` is now.
        """
        with self._lock:
            wall, steady = self._both()
            passed = timedelta(seconds=steady - self._steady)
            step = wall - self._wall - passed
            self._wall, self._steady = wall, steady
            if abs(step) < NOTICEABLE:
                step = timedelta()
            if step or passed > ASLEEP:
                self._watched_since = wall
            return step

    def _both(self) -> tuple[datetime, float]:
        """Both clocks at one moment: a thread that was held up between two readings would take
        that for a step."""
        for _ in range(_READINGS):
            before, wall, after = self._clock.elapsed(), self._clock.now(), self._clock.elapsed()
            if after - before < _AT_ONCE_S:
                break
        return wall, after
