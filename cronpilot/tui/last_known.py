"""What is said of the tasks before their engine has started: what the database said last.

No more than that: nobody knows yet what runs, and no slot that has passed is counted down to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from cronpilot.domain.run import ACTIVE
from cronpilot.tui.formatting import Cell, Cells, Marks, duration

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskView


class LastKnown(NamedTuple):
    """What can be said without an engine.

    Attributes:
        tasks: so many of them from an offset on, by their ids, and how many there are in all; None
            where only the engine can say it. It is called in a thread. The rows have what the table
            of tasks shows, and nothing else.
        timezone: of the engine that starts.
    """

    tasks: Callable[[int, int], tuple[Sequence[TaskView], int] | None]
    timezone: str


def as_last_known(
    shown: Mapping[str, Cell | Cells], task: TaskView, now: datetime, marks: Marks
) -> dict[str, Cell | Cells]:
    """The cells of a row, without what only an engine knows."""
    told = dict(shown)
    if task.next_run_at is not None and task.next_run_at <= now and task.paused_at is None:
        told["in"] = Cell("")
    if task.last_run is not None and task.last_run.status in ACTIVE:
        told["usual"] = Cell(f"{duration(task.average_duration_s)}  ", "muted")
        if task.active and task.paused_at is None:
            told["state"] = Cell(f"{marks.lost} unknown", "muted")
    return told
