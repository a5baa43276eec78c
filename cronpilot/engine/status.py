"""The figures of the status bar."""

from __future__ import annotations

from collections.abc import Sequence

from cronpilot.client.messages import Banner, EngineInfo, EngineStatus
from cronpilot.domain.run import Status
from cronpilot.storage import incidents, meta, runs, tasks
from cronpilot.storage.database import Connection


def read_status(
    connection: Connection,
    *,
    max_workers: int,
    timezone: str,
    engine: EngineInfo | None,
    banners: Sequence[Banner] = (),
) -> EngineStatus:
    """All figures, as one snapshot."""
    totals, counts = tasks.totals(connection), runs.counts(connection)
    return EngineStatus(
        total_tasks=totals.tasks,
        active_tasks=totals.active,
        scheduled_tasks=totals.scheduled,
        running=counts.get(Status.RUNNING, 0) + counts.get(Status.STARTING, 0),
        queued=counts.get(Status.QUEUED, 0),
        retrying=counts.get(Status.RETRYING, 0),
        failing_tasks=totals.failing,
        open_incidents=incidents.count_open(connection),
        max_workers=max_workers,
        paused=meta.get(connection, meta.PAUSED_AT) is not None,
        paused_until=meta.get_time(connection, meta.PAUSED_UNTIL),
        timezone=timezone,
        next_run_at=totals.next_run_at,
        next_task=totals.next_task,
        engine=engine,
        banners=list(banners),
    )
