"""Runs: recorded before anything starts, moved from state to state, never rewritten once final.

run_slots   how a run comes into being: a slot with its verdict, a start by hand
run_queue   what waits, who may go, the claim
run_states  what became of it
run_views   as people see it
figures     what its end adds to the figures of its task
"""

from __future__ import annotations

from cronpilot.storage.figures import Result, count_results, duration
from cronpilot.storage.run_queue import (
    busy,
    claim,
    due_retries,
    move_retries,
    next_in_queue,
    next_retry,
    overdue,
    tasks_with_queue,
    waiting,
    waiting_of,
)
from cronpilot.storage.run_slots import Slot, add_manual, by_request, record, slots_of
from cronpilot.storage.run_states import (
    AttemptEnd,
    Finish,
    Start,
    all_open,
    end_attempts,
    finish,
    in_flight,
    lose,
    move,
    open_ids,
    start,
    state,
    states,
)
from cronpilot.storage.run_views import counts, views
from cronpilot.storage.tables import Attempt, Run, Task

RUN = Run.__table__  # type: ignore[attr-defined]
TASK = Task.__table__  # type: ignore[attr-defined]
ATTEMPT = Attempt.__table__  # type: ignore[attr-defined]

__all__ = [
    "ATTEMPT", "RUN", "TASK", "AttemptEnd", "Finish", "Result", "Slot", "Start",
    "add_manual", "all_open", "busy", "by_request", "claim", "count_results", "counts",
    "due_retries", "duration", "end_attempts", "finish", "in_flight", "lose", "move",
    "move_retries", "next_in_queue", "next_retry", "open_ids", "overdue", "record", "slots_of",
    "start", "state", "states", "tasks_with_queue", "views", "waiting",
    "waiting_of",
]  # fmt: skip
