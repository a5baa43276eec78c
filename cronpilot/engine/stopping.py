"""Stopping runs while no engine is there: by the keeper, which holds them all the same.

Only while the database's lock is ours: the keeper obeys its newest link, and a new engine would
have to be that. How a run ended is written down by the next engine, from its record.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from cronpilot.domain.plan import Final
from cronpilot.domain.run import Reason, Status
from cronpilot.engine.commands import end_run
from cronpilot.engine.reports import finish
from cronpilot.errors import KeeperProblem, Refused
from cronpilot.runner.executor import Local
from cronpilot.runner.leftovers import ended, living
from cronpilot.runner.messages import AttemptKey, Ended, Linked, NeverStarted, Report, Trouble
from cronpilot.storage import meta, runs
from cronpilot.storage.database import Connection, Database

_LINK_S = 20.0  # for a keeper to answer, one that has to be started first included
_END_S = 2.0  # how long we look whether it has ended; it is stopped without us, too


class _Hand:
    """A short link to the keeper: hears what lives, passes the stops on, hears of the ends."""

    def __init__(self, state_dir: Path, installation: str) -> None:
        self._linked: asyncio.Future[frozenset[AttemptKey]] = (
            asyncio.get_running_loop().create_future()
        )
        self._heard = asyncio.Event()
        self.ended: set[AttemptKey] = set()
        self.never: set[AttemptKey] = set()
        self.executor = Local(state_dir, installation, self._report)

    def _report(self, report: Report) -> None:
        match report:
            case Linked(live) if not self._linked.done():
                self._linked.set_result(frozenset(live))
            case Trouble() if not self._linked.done():
                self._linked.set_exception(KeeperProblem(report.problem, report.hint))
            case Ended(key):
                self.ended.add(key)
            case NeverStarted(key):
                self.never.add(key)
        self._heard.set()

    async def live(self) -> frozenset[AttemptKey]:
        """What it holds. Raises KeeperProblem."""
        try:
            async with asyncio.timeout(_LINK_S):
                return await self._linked
        except TimeoutError:
            raise KeeperProblem("The keeper does not answer.", "See: cronpilot doctor") from None

    async def wait_for(self, keys: set[AttemptKey]) -> None:
        """Until all of them are over, but not for long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S):
                while keys - self.ended - self.never:
                    self._heard.clear()
                    await self._heard.wait()


async def stop_runs(
    database: Database,
    state_dir: Path,
    ids: Sequence[int],
    *,
    strays: bool,
    signal: int,
    actor: str,
) -> tuple[set[int], set[int]]:
    """Stop these runs; those that only wait are ended in the database at once.

    Args:
        strays: stop what runs and no row knows, too.
    Returns:
        The ids of runs that have ended by now, and of strays that were told to.
    Raises:
        Refused: the only run that was named is over, or its command is and nobody has written it
            down yet. KeeperProblem: the keeper does not answer.
    """
    in_flight = {row["id"]: row for row in database.read(runs.in_flight)}
    known = {AttemptKey(row["id"], row["launches"]) for row in in_flight.values()}
    over_by_itself = {key.run_id for key in known & ended(state_dir)}
    if not strays and len(ids) == 1 and over_by_itself.issuperset(ids):
        raise Refused(
            f"Run {ids[0]} has already ended, so there is nothing to stop.",
            "The next engine writes down how it ended, and retries it where its task says so.",
        )
    ids = [run_id for run_id in ids if run_id not in over_by_itself]
    keys = await asyncio.to_thread(_end_in_rows, database, ids, actor)
    unknown = set(living(state_dir)) - known if strays else set()
    if not keys and not unknown:
        return set(), set()
    installation = database.read(lambda c: meta.get(c, meta.INSTALLATION)) or ""
    hand = _Hand(state_dir, installation)
    link = asyncio.create_task(hand.executor.run())
    try:
        await _pass_on(hand, keys | unknown, in_flight, signal)
    finally:
        link.cancel()
        await asyncio.gather(link, return_exceptions=True)
    await asyncio.to_thread(_end_never_started, database, sorted(hand.never & keys))
    over = {key.run_id for key in (hand.ended | hand.never) & keys}
    return over, {key.run_id for key in unknown}


def _end_in_rows(database: Database, ids: Sequence[int], actor: str) -> set[AttemptKey]:
    """End what only waits; the attempts that have to be stopped."""
    keys: set[AttemptKey] = set()
    now = datetime.now(UTC)
    for run_id in ids:
        end = partial(end_run, run_id=run_id, reason=Reason.USER, actor=actor, now=now)
        try:
            key = database.write(end).result()
        except Refused:
            if len(ids) == 1:
                raise
            continue  # it has just ended by itself
        if key is not None:
            keys.add(key)
    return keys


async def _pass_on(
    hand: _Hand, keys: set[AttemptKey], in_flight: Mapping[int, Mapping[Any, Any]], signal: int
) -> None:
    live = await hand.live()
    for key in keys - live:  # its keeper died: ours takes it up, or learns that it is over
        row = in_flight.get(key.run_id)
        hand.executor.settle(key, boot_id=None if row is None else row["boot_id"])
    for key in keys - hand.ended - hand.never:
        hand.executor.stop(key, why=Reason.USER.value, signal=signal)
    await hand.wait_for(keys)


def _end_never_started(database: Database, keys: Sequence[AttemptKey]) -> None:
    """Their start was revoked just now; without this the next engine would try again."""
    now = datetime.now(UTC)

    def write(connection: Connection) -> None:
        for key in keys:
            run = runs.state(connection, key.run_id)
            if run is not None and run["launches"] == key.launch:
                finish(connection, run, Final(Status.STOPPED, Reason.USER), finished_at=now)

    if keys:
        database.write(write).result()
