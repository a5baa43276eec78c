"""Events on their way to the screen: a flood of them becomes a few repaints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cronpilot.client.messages import EngineStatus, Event, RunView, TaskView

BETWEEN = 0.25
"""Seconds between two repaints by events."""


@dataclass(slots=True)
class Changes:
    """What is different now: the newest state of each thing, however often it changed."""

    tasks: dict[int, TaskView] = field(default_factory=dict)
    runs: dict[int, RunView] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)  # ids of tasks
    status: EngineStatus | None = None
    gap: bool = False  # something was lost: everything has to be read again


class Inbox:
    """Merges events. The first after a pause is delivered at once, later ones four times a second.

    Args:
        deliver: takes what has come together.
        later: calls a function after so many seconds.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        deliver: Callable[[Changes], None],
        later: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float],
    ) -> None:
        self._deliver, self._later, self._clock = deliver, later, clock
        self._changes = Changes()
        self._scheduled = False
        self._delivered_at = float("-inf")

    def add(self, event: Event) -> None:
        """Take in one event."""
        changes = self._changes
        match event.kind:
            case "task_changed":
                changes.tasks[event.task.id] = event.task
                changes.removed.discard(event.task.id)
            case "task_removed":
                changes.tasks.pop(event.task_id, None)
                changes.removed.add(event.task_id)
            case "run_changed":
                changes.runs[event.run.id] = event.run
            case "status_changed":
                changes.status = event.status
            case "gap":
                changes.gap = True
        if not self._scheduled:
            self._scheduled = True
            self._later(max(0.0, self._delivered_at + BETWEEN - self._clock()), self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        self._delivered_at = self._clock()
        changes, self._changes = self._changes, Changes()
        self._deliver(changes)
