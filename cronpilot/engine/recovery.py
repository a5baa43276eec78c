"""After a start, and whenever the keeper is back: find out what became of what was going on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Mapping,
    Sequence,
)
from pathlib import Path
from typing import Any

from cronpilot.domain.run import Trigger
from cronpilot.domain.task import Overlap
from cronpilot.errors import StorageProblem
from cronpilot.runner.executor import Executor
from cronpilot.runner.messages import AttemptKey
from cronpilot.runner.settle import sweep
from cronpilot.storage import audit, runs, tasks
from cronpilot.storage.database import Connection

Read = Callable[[Callable[[Connection], Any]], Awaitable[Any]]

log = logging.getLogger("cronpilot.recovery")

_AGAIN_S = 1.0  # after what could not be done
PATIENCE_S = 5.0  # with a keeper that does not answer


class TakingUp:
    """Brings rows and records in line with what a keeper holds, whenever one answers.

    One link at a time: what is under way for one that is gone ends before the next one's begins,
    because a late sweep would take records for left-overs that are not.
    """

    def __init__(
        self,
        *,
        read: Read,
        state_dir: Path,
        executor: Executor,
        trouble: Callable[[Exception | None], None],
        replace: Callable[[Sequence[int]], Awaitable[None]],
        stop_again: Callable[[AttemptKey], None],
        done: Callable[[Sequence[AttemptKey]], None],
    ) -> None:
        """
        Args:
            trouble: told what keeps us from it, until it is done (None).
            replace: ends runs that newer ones of their tasks take the place of.
            stop_again: stops what a person has told to stop while nobody could pass that on.
            done: told what lives; from then on starts may be asked for.
        """
        self._read, self._state_dir, self._executor = read, state_dir, executor
        self._trouble, self._replace, self._done = trouble, replace, done
        self._stop_again = stop_again
        self._link = 0
        self._turn = asyncio.Lock()
        self.settled = asyncio.Event()
        """Earlier runs are settled."""

    def unlinked(self) -> None:
        """What is under way is about a keeper that is gone."""
        self._link += 1

    def linked(self, live: Sequence[AttemptKey]) -> Coroutine[Any, Any, None]:
        """The work for this link, tried until it succeeds or the link breaks."""
        self._link += 1
        return self._take_up(live, self._link)

    async def _take_up(self, live: Sequence[AttemptKey], link: int) -> None:
        async with self._turn:
            while link == self._link:
                try:
                    async for _ in self._steps(live):
                        if link != self._link:
                            return
                except Exception as problem:  # no room, no descriptor, locked: or a bug of ours
                    if not isinstance(problem, OSError | StorageProblem):
                        log.exception("What went on cannot be taken up, trying again")
                    self._trouble(problem)
                    await asyncio.sleep(_AGAIN_S)
                else:
                    self._trouble(None)
                    self._done(live)
                    return

    async def _steps(self, live: Sequence[AttemptKey]) -> AsyncIterator[None]:
        """Stops wherever the link may have broken meanwhile."""
        in_flight = await self._read(runs.in_flight)
        yield
        settle_all(self._executor, in_flight, live)
        self.settled.set()
        if keys := [AttemptKey(row["id"], row["launches"]) for row in in_flight]:
            asked = await self._read(lambda c: audit.asked_to_stop(c, [key.run_id for key in keys]))
            yield
            for key in keys:
                if key.run_id in asked:
                    self._stop_again(key)
        open_runs = await self._read(runs.open_ids)
        yield
        await asyncio.to_thread(sweep, self._state_dir, open_runs)
        replaced = await self._read(to_replace)
        yield
        if replaced:
            await self._replace(replaced)
            yield


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


def to_replace(connection: Connection) -> list[int]:
    """The ids of runs that a newer one is to replace; the wish itself may have been lost.

    Those that wait for their start, or for a retry, are among them. Slots that are made up for wait
    for each other, and replace none of their kind.
    """
    ids = list(runs.tasks_with_queue(connection, Overlap.REPLACE))
    found = []
    for open_ in tasks.open_runs(connection, ids).values():
        states = runs.states(connection, [run.id for run in open_])
        for place, run in enumerate(open_):
            state = states[run.id]
            newer = [states[other.id] for other in open_[place + 1 :]]
            if any(_replaces(other, state) for other in newer):
                found.append(run.id)
    return found


def _replaces(newer: Mapping[str, Any], older: Mapping[str, Any]) -> bool:
    return {newer["trigger"], older["trigger"]} != {Trigger.CATCH_UP}
