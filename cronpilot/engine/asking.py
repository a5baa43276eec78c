"""The reading half of an engine: each question goes to the part that answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from cronpilot.domain.zones import find_zone
from cronpilot.engine.agenda import Agenda
from cronpilot.engine.comparing import Comparer
from cronpilot.engine.health import HealthReport
from cronpilot.engine.ledger import Ledger
from cronpilot.engine.quiet import QuietTimes
from cronpilot.engine.reading import ByReader, Reader
from cronpilot.engine.usage import UsageMeter

if TYPE_CHECKING:
    from datetime import datetime

    from cronpilot.client.messages import EngineInfo, Explanation
    from cronpilot.engine.concerns import Concerns
    from cronpilot.engine.config import EngineConfig
    from cronpilot.engine.downtime import DowntimeReview
    from cronpilot.engine.notices import Notices


class Asking(ByReader):
    """For Engine: what may be asked of it that changes nothing."""

    def __init__(
        self,
        reader: Reader,
        config: Callable[[], EngineConfig],
        *,
        now: Callable[[], datetime],
        info: Callable[[], EngineInfo],
        notices: Notices,
        concerns: Concerns,
        review: DowntimeReview,
    ) -> None:
        super().__init__(reader)
        self.info = info
        state_dir, database = config().state_dir, config().database
        zone, room = (lambda: find_zone(config().timezone)), (lambda: config().room)
        agenda = Agenda(reader, now=now, zone=zone, room=room)
        self.upcoming, self.outlook = agenda.upcoming, agenda.outlook
        self.timeline = agenda.timeline
        self.quiet_times = QuietTimes(reader, lambda: config().quiet, zone, now).quiet_times
        self.downtime = review.downtime
        self.usage = UsageMeter(reader).usage
        self.compare = Comparer(reader, state_dir).compare
        ledger = Ledger(reader, room)
        self.me, self.audit, self.pool_slots = ledger.me, ledger.audit, ledger.pool_slots
        self.incidents, self.incident = concerns.incidents, concerns.incident
        self.health = HealthReport(
            reader, database, state_dir, now=now, engine=info, banners=notices.all,
            dropped=lambda: concerns.dropped, quiet=self.quiet_times,
        ).read  # fmt: skip

    async def why(self, task_id: int, *, at: datetime | None = None) -> Explanation:
        return await self._reader.why(task_id, at, engine_runs=True)
