"""The parts of `OfflineClient` that answer few questions, loaded when one of them is asked.

`list` and `history` need none of them, and are asked most often.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from cronpilot.engine.reading import ByReader, Reader
from cronpilot.errors import Refused

if TYPE_CHECKING:
    from cronpilot.client.agenda import (
        Outlook,
        Timeline,
        TimelineQuery,
        UpcomingPage,
        UpcomingQuery,
    )
    from cronpilot.client.comparison import Comparison
    from cronpilot.client.incidents import IncidentQuery, IncidentStory
    from cronpilot.client.live import RunUsage
    from cronpilot.client.messages import FileDifference, Health, IncidentView
    from cronpilot.client.quiet import QuietTime
    from cronpilot.client.users import AuditEntry, AuditQuery, Me, PoolView, UserView
    from cronpilot.domain.quiet import Rule
    from cronpilot.engine.agenda import Agenda
    from cronpilot.engine.incident_views import IncidentReader
    from cronpilot.engine.ledger import Ledger
    from cronpilot.engine.usage import UsageMeter


def _now() -> datetime:
    return datetime.now(UTC)


class OfflineParts(ByReader):
    """What a database says without an engine, beside its tasks and runs."""

    def __init__(
        self,
        reader: Reader,
        database: Path,
        state_dir: Path,
        *,
        max_workers: int,
        timezone: str,
        tasks_file: Path | None,
        quiet: Mapping[str, Rule] | None,
    ) -> None:
        super().__init__(reader)
        self._path, self._state_dir = database, state_dir
        self._max_workers, self._timezone = max_workers, timezone
        self._tasks_file, self._quiet = tasks_file, quiet or {}

    def _room(self) -> tuple[int, Mapping[str, int]]:
        return self._max_workers, {}

    # --- what comes ---

    @cached_property
    def _agenda(self) -> Agenda:
        from cronpilot.domain.zones import find_zone
        from cronpilot.engine.agenda import Agenda

        zone = find_zone(self._timezone)
        return Agenda(self._reader, now=_now, zone=lambda: zone, room=self._room)

    async def upcoming(self, query: UpcomingQuery) -> UpcomingPage:
        return await self._agenda.upcoming(query)

    async def outlook(self, *, hours: int = 24) -> Outlook:
        return await self._agenda.outlook(hours=hours)

    async def timeline(self, query: TimelineQuery) -> Timeline:
        return await self._agenda.timeline(query)

    async def quiet_times(self) -> list[QuietTime]:
        from cronpilot.domain.zones import find_zone
        from cronpilot.engine.quiet import QuietTimes

        zone = find_zone(self._timezone)
        times = QuietTimes(self._reader, lambda: self._quiet, lambda: zone, _now)
        return await times.quiet_times()

    # --- how it goes ---

    async def health(self) -> Health:
        from cronpilot.engine.health import HealthReport

        report = HealthReport(
            self._reader, self._path, self._state_dir,
            now=_now, engine=lambda: None, banners=list, quiet=self.quiet_times,
        )  # fmt: skip
        return await report.read()

    @cached_property
    def _meter(self) -> UsageMeter:
        from cronpilot.engine.usage import UsageMeter

        return UsageMeter(self._reader)

    async def usage(self) -> list[RunUsage]:
        return await self._meter.usage()

    async def compare(
        self, run_id: int, *, against: int | None = None, exact: bool = False
    ) -> Comparison:
        from cronpilot.engine.comparing import Comparer

        comparer = Comparer(self._reader, self._state_dir)
        return await comparer.compare(run_id, against=against, exact=exact)

    @cached_property
    def _incidents(self) -> IncidentReader:
        from cronpilot.engine.incident_views import IncidentReader

        return IncidentReader(self._reader)

    async def incidents(self, query: IncidentQuery) -> list[IncidentView]:
        return await self._incidents.incidents(query)

    async def incident(self, incident_id: int) -> IncidentStory:
        return await self._incidents.incident(incident_id)

    # --- who, and what else is written down ---

    @cached_property
    def _ledger(self) -> Ledger:
        from cronpilot.engine.ledger import Ledger

        return Ledger(self._reader, self._room)

    async def me(self) -> Me:
        return await self._ledger.me()

    async def audit(self, query: AuditQuery) -> list[AuditEntry]:
        return await self._ledger.audit(query)

    async def pool_slots(self) -> list[PoolView]:
        return await self._ledger.pool_slots()

    async def users(self) -> list[UserView]:
        from cronpilot.engine.accounts import user_views
        from cronpilot.storage import users

        return user_views(await self._reader.read(users.every))

    async def differences(self) -> list[FileDifference]:
        """How the tasks differ from the tasks file. Raises InvalidFile; Refused without one."""
        from cronpilot.config.tasks_file import read_tasks_file
        from cronpilot.engine.differences import NO_FILE, differences
        from cronpilot.storage import tasks

        if self._tasks_file is None:
            raise Refused(*NO_FILE)
        file = await asyncio.to_thread(
            read_tasks_file, self._tasks_file, timezone=self._timezone
        )  # fmt: skip
        return await self._reader.read(lambda c: differences(file, tasks.all_definitions(c)))
