"""What is usual for each task, remembered for a while: lists and alarms ask again and again."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import NamedTuple

from cronpilot.domain.alarms import Usual, usual
from cronpilot.storage import usual as store
from cronpilot.storage.database import Connection

GOOD_FOR_S = 60.0
"""How long an answer stands after the task has succeeded again; without that it stays."""
MOST = 20_000


class History(NamedTuple):
    """How long a task takes and how late it starts, by its last successes; None: not known yet."""

    length: Usual | None
    delay: Usual | None


class Usuals:
    """Answers from memory where it can. Used by several threads; at worst one asks twice."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, tuple[int, float, History]] = OrderedDict()

    def of(self, connection: Connection, task_id: int, successes: int) -> History:
        """The history of a task that has so many successes by now."""
        known, now = self._known.get(task_id), time.monotonic()
        if known is not None and (known[0] == successes or now - known[1] < GOOD_FOR_S):
            return known[2]
        lengths, delays = store.good_runs(connection, task_id) if successes else ([], [])
        found = History(usual(lengths), usual(delays))
        self._known[task_id] = (successes, now, found)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return found
