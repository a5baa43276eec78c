"""Runs that the machine refused to start: each waits before it is tried again, longer each time."""

from __future__ import annotations

from cronpilot.engine.clock import Clock

PAUSES_S = (1, 2, 4, 8, 15, 30, 60)


class BackOff:
    """Told in the loop, asked in the writer's thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[int, float] = {}  # run -> elapsed time at which it may be tried again
        self._refusals: dict[int, int] = {}

    def refused(self, run_id: int) -> float:
        """The machine had no process or memory to spare for it; in how many seconds it may have."""
        refusals = self._refusals.get(run_id, 0)
        self._refusals[run_id] = refusals + 1
        pause = PAUSES_S[min(refusals, len(PAUSES_S) - 1)]
        self._until[run_id] = self._clock.elapsed() + pause
        return pause

    def forget(self, run_id: int) -> None:
        """It was started: the next refusal is its first again."""
        self._refusals.pop(run_id, None)

    def waiting(self) -> list[int]:
        """The runs that are not tried now."""
        elapsed = self._clock.elapsed()
        waiting = list(self._until.items())  # at once: the loop may add to it meanwhile
        for run_id in [run for run, until in waiting if until <= elapsed]:
            self._until.pop(run_id, None)
        return [run for run, until in waiting if until > elapsed]
