"""Runs that somebody wants to end, until they have ended."""

from __future__ import annotations

import signal
from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import NamedTuple

from cronpilot.domain.plan import Final
from cronpilot.domain.run import Reason, Status
from cronpilot.engine.planner import Changes
from cronpilot.engine.reports import finish
from cronpilot.storage import runs
from cronpilot.storage.database import Connection, after_commit


class Stop(NamedTuple):
    """Why a run is to end, and the signal that goes to its command first."""

    reason: Reason
    signal: signal.Signals


class Stops:
    """A stop is meant for a run, and the keeper knows attempts.

    It may come before the keeper has heard of the start, or while an attempt ends by itself that
    would be tried again: nothing of that run is started any more. Noted in the loop, ended in the
    writer's transactions.
    """

    def __init__(self) -> None:
        self._wanted: dict[int, Stop] = {}

    def __bool__(self) -> bool:
        return bool(self._wanted)

    def __contains__(self, run_id: int) -> bool:
        return run_id in self._wanted

    @property
    def run_ids(self) -> Collection[int]:
        """At once: the loop may add to them meanwhile."""
        return tuple(self._wanted)

    def of(self, run_id: int) -> Stop | None:
        """What is wanted of that run."""
        return self._wanted.get(run_id)

    def want(self, run_id: int, stop: Stop) -> None:
        """That run is to end."""
        self._wanted[run_id] = stop

    def end_waiting(self, connection: Connection, now: datetime) -> Changes:
        """End those of them that have no command; one that is over is forgotten."""
        changes = Changes()
        for run_id, stop in list(self._wanted.items()):
            run = runs.state(connection, run_id)
            if run is not None and run["status"].holds_slot:
                continue
            after_commit(connection, partial(self._wanted.pop, run_id, None))
            if run is None or run["status"].is_final:
                continue
            finish(
                connection, run, Final(Status.STOPPED, stop.reason), finished_at=now,
                started_at=run["started_at"],
            )  # fmt: skip
            changes.run_ids.append(run_id)
            changes.task_ids.add(run["task_id"])
        return changes
