"""The time without an engine before this one: how long it was, what passed, what was made up for.

A file that is touched now and then says when the last engine was alive, and so does the last that
it wrote down of a run; nothing else is written.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cronpilot.client.live import Downtime
from cronpilot.client.messages import Banner, RunView
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.engine.notices import Notices
from cronpilot.engine.planner import Changes
from cronpilot.engine.reading import Reader
from cronpilot.storage import evidence, meta, runs
from cronpilot.storage.database import Connection

SIGN = "alive"  # the name of the file
EVERY_S = 30.0  # between two touches: a minute's truth is enough for "down 2 h"
SETTLE_S = 1.0  # without further rows, before the figures are told
LOOKED_FOR = timedelta(minutes=10)  # after a start; what was due before it is decided long before
MOST = 200
KEY = "downtime"


class DowntimeReview:
    """Collects what the first passes after a start decide; lives in the engine's loop."""

    def __init__(
        self, reader: Reader, notices: Notices, state_dir: Path, now: Callable[[], datetime]
    ) -> None:
        self._reader, self._notices, self._now = reader, notices, now
        self._sign = state_dir / SIGN
        self._touched_at: datetime | None = None
        self._since: datetime | None = None
        self._started_at = now()
        self._missed: dict[int, int] = {}  # run -> slots
        self._made_up: set[int] = set()
        self._heard: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._look: asyncio.Task[None] | None = None

    def begin(self, connection: Connection) -> None:
        """At a start, before anything is written: when was an engine last seen?"""
        noted = meta.newest(connection), evidence.newest(connection)
        try:
            seen = datetime.fromtimestamp(self._sign.stat().st_mtime, UTC)
        except OSError:
            seen = None
        known = [at for at in (*noted, seen) if at is not None and at <= self._started_at]
        self._since = max(known, default=None)

    def beat(self) -> None:
        """An engine is alive. Called at every pass, on any thread."""
        now = self._now()
        before, self._touched_at = self._touched_at, now
        if before is not None and timedelta() <= now - before < timedelta(seconds=EVERY_S):
            self._touched_at = before
            return
        try:
            self._sign.touch(mode=0o600)
            os.utime(self._sign, (now.timestamp(), now.timestamp()))
        except OSError:
            pass  # a full disk is told elsewhere

    def planned(self, changes: Changes) -> None:
        """Rows were written: those of slots from before the start are looked at."""
        if not changes.run_ids or self._now() - self._started_at > LOOKED_FOR:
            return
        self._heard.update(changes.run_ids)
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(SETTLE_S, self._start_look)

    def close(self) -> None:
        """Look at nothing any more: the engine ends."""
        for waiting in (self._timer, self._look):
            if waiting is not None:
                waiting.cancel()

    def _start_look(self) -> None:
        self._look = asyncio.ensure_future(self._look_at_heard())

    async def _look_at_heard(self) -> None:
        ids, self._heard = sorted(self._heard), set()
        for row in await self._reader.read(lambda connection: runs.views(connection, ids)):
            if row["scheduled_for"] is None or row["scheduled_for"] >= self._started_at:
                continue
            if row["status"] is Status.MISSED and row["reason"] is Reason.DOWN:
                self._missed[row["id"]] = row["folded_count"]
            elif row["trigger"] is Trigger.CATCH_UP and row["status"] is not Status.SKIPPED:
                self._made_up.add(row["id"])
        if self._since is not None and (self._missed or self._made_up):
            self._notices.show(
                Banner(
                    key=KEY,
                    text=said(self._started_at - self._since, sum(self._missed.values()),
                              len(self._made_up)),
                    hint="m lists them on the screen.",
                    severity="information",
                )
            )  # fmt: skip

    async def downtime(self) -> Downtime | None:
        """What passed, as it stands now; None where nothing did, or it was dismissed."""
        if self._since is None or not (self._missed or self._made_up):
            return None
        missed = await self._views(self._missed)
        return Downtime(
            since=self._since,
            until=self._started_at,
            missed_slots=sum(self._missed.values()),
            made_up=len(self._made_up),
            missed=missed,
            runs=await self._views(self._made_up),
        )

    async def _views(self, ids: dict[int, int] | set[int]) -> list[RunView]:
        first = sorted(ids)[:MOST]
        return await self._reader.read(
            lambda connection: self._reader.run_views(connection, runs.views(connection, first))
        )

    async def dismiss_downtime(self) -> None:
        """It was looked over."""
        self._missed, self._made_up = {}, set()
        self._notices.clear(KEY)


def said(down: timedelta, missed: int, made_up: int) -> str:
    """`The engine was down 2 h: 14 slots missed, 3 made up for.`"""
    what = [f"{missed:,} {'slot' if missed == 1 else 'slots'} missed"] if missed else []
    what += [f"{made_up:,} made up for"] if made_up else []
    return f"The engine was down {_long(down)}: {', '.join(what)}."


def _long(down: timedelta) -> str:
    minutes = round(down.total_seconds() / 60)
    if minutes < 1:
        return f"{max(1, round(down.total_seconds()))} s"
    if minutes < 120:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"
