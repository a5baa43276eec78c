"""After a start, and whenever the keeper is back: find out what became of what was going on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cronpilot.domain.run import Status
from cronpilot.domain.task import Overlap
from cronpilot.runner.executor import Executor
from cronpilot.runner.messages import AttemptKey
from cronpilot.runner.settle import sweep
from cronpilot.storage import runs, tasks
from cronpilot.storage.database import Connection

PATIENCE_S = 5.0  # with a keeper that does not answer


async def wait_until_settled(settled: asyncio.Event) -> None:
    """Until earlier runs are settled, or for as long as one waits for a keeper at a start."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            await settled.wait()


def settle_all(
    executor: Executor, in_flight: Sequence[Mapping[Any, Any]], live: Iterable[AttemptKey]
) -> None:
    """Settle every run that was going on and that the keeper does not hold.

    Legal only after the keeper's greeting: from then on no older request can start anything.
    """
    held = set(live)
    for row in in_flight:
        key = AttemptKey(row["id"], row["launches"])
        if key not in held:
            executor.settle(key, boot_id=row["boot_id"])


def sweep_records(state_dir: Path, open_runs: set[int]) -> None:
    """Remove the records of runs that are over: a crash came between final commit and unlink."""
    sweep(state_dir, open_runs)


def to_replace(connection: Connection) -> list[tuple[int, int]]:
    """(run, launch) of runs that a newer one is to replace; the wish itself may have been lost."""
    ids = list(runs.tasks_with_queue(connection, Overlap.REPLACE))
    found = []
    for open_ in tasks.open_runs(connection, ids).values():
        newest = open_[-1].id
        for run in open_:
            if run.id != newest and run.status in (Status.STARTING, Status.RUNNING):
                state = runs.state(connection, run.id)
                if state is not None:
                    found.append((run.id, state["launches"]))
    return found
