"""What somebody does to tasks and runs by hand: start, test, stop, pause, resume."""

from __future__ import annotations

import asyncio
import contextlib
import math
import signal as signals
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cronpilot.client.actor import actor
from cronpilot.domain.run import Reason
from cronpilot.engine import commands, pausing
from cronpilot.engine.planner import Changes
from cronpilot.errors import Refused, StorageProblem
from cronpilot.runner.messages import AttemptKey
from cronpilot.storage import runs
from cronpilot.storage.database import Connection

if TYPE_CHECKING:
    from cronpilot.client.messages import RunView, TaskView
    from cronpilot.client.protocol import StopSignal
    from cronpilot.engine.following import Write
    from cronpilot.engine.reading import Reader

_LOOK_S = 0.05  # between two looks at what still goes on
_TRY_AGAIN_S, _TRIES = 1.0, 300  # of what the database refuses; the next link asks once more
_ASK_AGAIN_S = 1.0  # the keeper, to stop what still goes on


class Controls:
    """Commits first what was asked; then those hear of it who start and stop commands."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        reader: Reader,
        write: Write,
        stop: Callable[[AttemptKey, Reason, signals.Signals], None],
        planned: Callable[[Changes], None],
        changed: Callable[[Changes], None],
    ) -> None:
        """
        Args:
            stop: told of attempts that are to end, once that is committed; without a keeper that
                is remembered, and the audit remembers it for the next engine.
            planned: told of rows that have changed.
            changed: told the same, when the clock has to look at its plans anew.
        """
        self._now, self._reader, self._write = now, reader, write
        self._stop = stop
        self._planned, self._changed = planned, changed

    async def run_now(
        self, task_id: int, *, request_id: str, if_version: int | None = None
    ) -> RunView:
        now = self._now()
        run_id, changes = await self._write(
            lambda c: commands.start_by_hand(
                c, task_id, request_id=request_id, actor=actor(), now=now, if_version=if_version
            )
        )
        self._planned(changes)
        return await self._reader.run(run_id)

    async def test_task(
        self,
        task_id: int,
        *,
        spec: dict[str, Any] | None = None,
        as_scheduled: bool = False,
        request_id: str,
        if_version: int | None = None,
    ) -> RunView:
        now = self._now()
        run_id, changes = await self._write(
            lambda c: commands.start_test(
                c, task_id, fields=spec or {}, as_scheduled=as_scheduled,
                request_id=request_id, actor=actor(), now=now, if_version=if_version,
            )
        )  # fmt: skip
        self._planned(changes)
        return await self._reader.run(run_id)

    async def stop_run(self, run_id: int, *, signal: StopSignal = "TERM") -> RunView:
        now = self._now()
        key = await self._write(
            lambda c: commands.end_run(c, run_id, reason=Reason.USER, actor=actor(), now=now)
        )
        if key is not None:  # before the answer, which may fail or not be waited for
            self._stop(key, Reason.USER, signals.Signals[f"SIG{signal}"])
        run = await self._reader.run(run_id)
        self._planned(Changes({run.task_id}, [run_id]))
        return run

    async def replace(self, run_ids: Sequence[int]) -> None:
        """End runs that newer ones of their tasks take the place of."""
        now = self._now()
        for tries_left in reversed(range(_TRIES)):
            try:
                keys, changes = await self._write(lambda c: commands.replace_runs(c, run_ids, now))
                break
            except StorageProblem:  # told by whoever writes all the time
                if not tries_left:
                    raise
                await asyncio.sleep(_TRY_AGAIN_S)
        for key in keys:
            self._stop(key, Reason.REPLACED, signals.SIGTERM)
        self._planned(changes)

    async def stop_everything(self) -> None:
        """Stop all runs and wait for their ends, as long as the longest grace and a little more."""
        asked: dict[AttemptKey, float] = {}
        while still_open := await self._reader.read(runs.all_open):
            now = time.monotonic()
            for run in still_open:
                key = AttemptKey(run["id"], run["launches"])
                if key not in asked or not run["status"].holds_slot:
                    await self._end(run["id"])
                # And again: a keeper may have died with the wish, or have met it too early.
                if now - asked.get(key, -math.inf) > _ASK_AGAIN_S:
                    asked[key] = now
                    self._stop(key, Reason.USER, signals.SIGTERM)
            await asyncio.sleep(_LOOK_S)

    async def _end(self, run_id: int) -> None:
        """Write down that it is to end; one that waits, perhaps for a retry, has ended then."""
        now, by = self._now(), actor()
        with contextlib.suppress(Refused):  # it has just ended by itself
            await self._write(
                lambda c: commands.end_run(c, run_id, reason=Reason.USER, actor=by, now=now)
            )

    async def pause_task(
        self,
        task_id: int,
        *,
        until: datetime | None = None,
        run_after: bool = False,
        if_version: int | None = None,
    ) -> TaskView:
        now = self._now()
        return await self._change_task(
            task_id,
            lambda c: pausing.pause(
                c, task_id, actor=actor(), now=now, until=until, run_after=run_after,
                if_version=if_version,
            ),
        )  # fmt: skip

    async def resume_task(self, task_id: int, *, if_version: int | None = None) -> TaskView:
        now = self._now()
        return await self._change_task(
            task_id,
            lambda c: pausing.resume(c, task_id, actor=actor(), now=now, if_version=if_version),
        )

    async def _change_task(self, task_id: int, change: Callable[[Connection], Changes]) -> TaskView:
        self._changed(await self._write(change))
        return await self._reader.task(task_id)
