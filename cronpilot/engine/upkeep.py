"""What is done beside the work: old runs are forgotten, and the database is copied each night."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cronpilot.client.messages import Banner
from cronpilot.config.settings import RetentionSettings
from cronpilot.engine.clock import Clock
from cronpilot.engine.disk import LEAST_FREE
from cronpilot.engine.notices import Notices
from cronpilot.engine.retention import Forgotten, Pass
from cronpilot.errors import StorageProblem
from cronpilot.storage import backups
from cronpilot.storage.database import Database

FIRST_S = 30.0  # after the start, whose own work goes first
LOOK_S = 60.0
BETWEEN_S = 3600.0  # two passes of retention
AGAIN_S = 600.0  # two tries of a copy that failed
NIGHT = timedelta(hours=3, minutes=30)  # local time from which on the night's copy is due


def night_of(now: datetime, zone: ZoneInfo) -> date:
    """The day whose copy is due at `now`: until 03:30 it is the day before."""
    return (now.astimezone(zone).replace(tzinfo=None) - NIGHT).date()


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file that is; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return (found.st_dev, found.st_ino)


class Upkeep:
    """Lives in the engine's loop, works in threads."""

    def __init__(
        self,
        database: Database,
        state_dir: Path,
        clock: Clock,
        notices: Notices,
        *,
        rules: RetentionSettings,
        zone: ZoneInfo,
    ) -> None:
        self._database, self._state_dir = database, state_dir
        self._clock, self._notices = clock, notices
        self.rules, self.zone = rules, zone
        self._stopping = threading.Event()
        self._next_pass = self._next_copy = 0.0  # elapsed seconds
        self._file = _identity(database.path)

    async def run(self) -> None:
        """Until cancelled; then what is in the middle of something ends first."""
        await asyncio.sleep(FIRST_S)
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Do what is due."""
        if await asyncio.to_thread(self._is_gone):
            return  # nothing is forgotten, and no copy is made, of what is not ours
        if self._clock.elapsed() >= self._next_pass:
            self._next_pass = self._clock.elapsed() + BETWEEN_S
            await self._try("retention", self.forget)
        target = self._copy_due()
        if target is not None and self._clock.elapsed() >= self._next_copy:
            self._next_copy = self._clock.elapsed() + AGAIN_S
            await self._try("backup", lambda: self._copy(target))

    def _is_gone(self) -> bool:
        """Whether somebody has taken the database away, or put another one in its place. SQLite
        goes on in the file that nobody sees any more, and says nothing."""
        try:
            gone = _identity(self._database.path) != self._file
        except OSError:  # whoever reads or writes it says so
            return False
        banner = Banner(
            key="database",
            text=f"{self._database.path} was removed or replaced while the engine uses it:"
            " nothing that happens now is kept.",
            hint="Put it back, or: cronpilot shutdown; cronpilot restore FILE",
            severity="error",
        )
        self._notices.replace("database", banner if gone else None)
        return gone

    def forget(self) -> Forgotten:
        """One pass of retention; blocks."""
        return Pass(
            self._database, self._state_dir, self.rules, self._clock.now(), self._stopping
        ).run()  # fmt: skip

    def _copy_due(self) -> Path | None:
        folder = backups.folder_of(self._state_dir)
        target = backups.nightly(folder, night_of(self._clock.now(), self.zone))
        return None if target.exists() else target

    def _copy(self, target: Path) -> None:
        backups.make_nightly(self._database, target, spare=LEAST_FREE)
        self._next_copy = 0.0

    async def _try(self, what: str, work: Callable[[], object]) -> None:
        """Tell what fails as a banner, until it works again."""
        job = asyncio.ensure_future(asyncio.to_thread(work))
        try:
            await asyncio.shield(job)
        except asyncio.CancelledError:
            self._stopping.set()
            await asyncio.wait([job])
            raise
        except (StorageProblem, OSError) as problem:
            self._notices.trouble(what, problem, "warning")  # tasks start all the same
        else:
            self._notices.trouble(what, None)
