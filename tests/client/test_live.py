"""What runs take and what passed without an engine, as every Client tells it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.live import Downtime
from cronpilot.domain.run import Reason, Status

from .serving import Both, reached

HOUR = timedelta(hours=1)


@pytest.fixture(params=["in memory", "over the socket"])
async def both(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Both]:
    """A run that goes, one that has ended, one that waits."""
    engine = FakeClient(
        tasks=[make_task(1)],
        runs=[make_run(7), make_run(8, status=Status.SUCCESS, finished_at=NOON),
              make_run(9, status=Status.QUEUED, started_at=None, ahead=3)],
    )  # fmt: skip
    async with reached(engine, request.param, tmp_path) as both:
        yield both


async def test_what_runs_take_is_told_of_those_that_go(both: Both) -> None:
    (usage,) = await both.client.usage()

    assert (usage.run_id, usage.cpu_percent, usage.rss, usage.processes) == (7, 7, 7_000_000, 2)


async def test_what_waits_says_its_place_in_line(both: Both) -> None:
    assert (await both.client.run(9)).ahead == 3


async def test_what_passed_without_an_engine_is_told_until_it_was_looked_over(both: Both) -> None:
    assert await both.client.downtime() is None
    slots = make_run(10, status=Status.MISSED, reason=Reason.DOWN, folded_count=14)
    both.engine.missed = Downtime(since=NOON - 2 * HOUR, until=NOON, missed_slots=14, made_up=1,
                                  missed=[slots], runs=[make_run(7)])  # fmt: skip

    told = await both.client.downtime()
    await both.client.dismiss_downtime()

    assert told is not None
    assert (told.missed_slots, [run.folded_count for run in told.missed]) == (14, [14])
    assert await both.client.downtime() is None
    assert both.engine.calls == [("dismiss_downtime",)]
