"""An engine that notes when a run passes from one hand to the next.

    python tests/bench/in_stages.py NOTES --headless --state-dir DIR

The arguments are those of `cronpilot`. NOTES is written when the engine ends: one JSON object a
line, with the run's id, what was reached, and when (seconds since 1970).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from cronpilot.cli import main
from cronpilot.engine.dispatcher import Dispatcher
from cronpilot.engine.scheduling import job_store
from cronpilot.engine.scheduling.job_store import TaskJobStore
from cronpilot.runner.executor import Local

STAGES = ("clock wakes", "due tasks read", "transaction", "run row written", "committed",
          "in the loop", "keeper told")  # fmt: skip


class Notes:
    """What happened when. Of a pass the run is not known until it is claimed."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str, float]] = []
        self._pass: dict[str, float] = {}

    def here(self, stage: str, runs: Any = None) -> None:
        now = time.time()
        if stage == STAGES[0]:
            self._pass.clear()
        if runs is None:
            self._pass[stage] = now
            return
        for run in runs:
            if stage == "committed":
                self.lines += [(run, name, at) for name, at in self._pass.items()]
            self.lines.append((run, stage, now))


def watch(notes: Notes) -> None:
    """Put a note in front of each hand-over."""
    due, at_end = TaskJobStore.get_due_jobs, TaskJobStore.get_next_run_time
    decide, claim, committed = job_store.decide_due, Dispatcher.claim, TaskJobStore._committed
    start_all, start = Dispatcher._start_all, Local.start

    def noted_due(self: Any, now: Any) -> Any:
        notes.here("clock wakes")
        return due(self, now)

    def noted_end(self: Any) -> Any:
        notes.here("due tasks read")
        return at_end(self)

    def noted_decision(*facts: Any) -> Any:
        notes.here("transaction")
        return decide(*facts)

    def noted_claim(self: Any, connection: Any) -> Any:
        claims = claim(self, connection)
        notes.here("run row written")
        return claims

    def noted_commit(self: Any, writing: Any) -> None:
        notes.here("committed", [claim.key.run_id for claim in writing.result().claims or ()])
        committed(self, writing)

    def noted_start_all(self: Any, claimed: Any) -> None:
        notes.here("in the loop", [claim.key.run_id for claim in claimed])
        start_all(self, claimed)

    def noted_start(self: Any, order: Any) -> None:
        start(self, order)
        notes.here("keeper told", [order.key.run_id])

    TaskJobStore.get_due_jobs, TaskJobStore.get_next_run_time = noted_due, noted_end
    TaskJobStore._committed, Dispatcher.claim = noted_commit, noted_claim
    job_store.decide_due = noted_decision
    Dispatcher._start_all, Local.start = noted_start_all, noted_start


if __name__ == "__main__":
    notes = Notes()
    watch(notes)
    path = Path(sys.argv.pop(1)).absolute()
    try:
        code = main()
    finally:
        path.write_text("".join(json.dumps(line) + "\n" for line in notes.lines))
    sys.exit(code)
