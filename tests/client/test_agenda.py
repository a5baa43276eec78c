"""What comes and what has been, as every Client tells it: in memory and over the socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cronpilot.client import Client
from cronpilot.client.agenda import TimelineQuery, UpcomingQuery
from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.domain.run import Status

from .serving import reached

HOUR = timedelta(hours=1)
HOURLY = {"schedule": "hourly :00"}


@pytest.fixture(params=["in memory", "over the socket"])
async def client(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Client]:
    """A task at 02:30, an hourly one that takes two hours, a paused one, one by hand."""
    engine = FakeClient(
        tasks=[
            make_task(1, "[/]\x1b nightly"),
            make_task(2, "hourly", next_run_at=NOON + HOUR, average_duration_s=7200.0, **HOURLY),
            make_task(3, "paused", next_run_at=NOON + HOUR, paused_at=NOON, **HOURLY),
            make_task(4, "by hand", next_run_at=None),
        ],
        runs=[make_run(7, status=Status.FAILED, started_at=NOON - HOUR,
                       finished_at=NOON - HOUR / 2)],
        clock=lambda: NOON,
    )  # fmt: skip
    async with reached(engine, request.param, tmp_path) as both:
        yield both.client


async def test_starts_come_in_order_and_in_pages(client: Client) -> None:
    first = await client.upcoming(UpcomingQuery(limit=3))
    last = first.rows[-1]
    second = await client.upcoming(
        UpcomingQuery(since=last.starts_at, after_task=last.task_id, until=NOON + 3.5 * HOUR)
    )

    assert [(row.task_id, row.starts_at) for row in first.rows] == [
        (2, NOON + HOUR), (3, NOON + HOUR), (2, NOON + 2 * HOUR)]  # fmt: skip
    assert [(row.task_id, row.starts_at) for row in second.rows] == [
        (3, NOON + 2 * HOUR), (2, NOON + 3 * HOUR), (3, NOON + 3 * HOUR)]  # fmt: skip
    assert (first.more, second.more) == (True, False)


async def test_a_start_says_whom_it_meets_and_whether_anything_comes_of_it(client: Client) -> None:
    one, paused, again = (await client.upcoming(UpcomingQuery(limit=3))).rows

    assert (one.together, one.waits, one.usual_s) == (1, "", 7200)
    assert (paused.together, paused.paused) == (0, True)
    assert again.waits == "itself"


async def test_starts_are_filtered_by_the_name_of_the_task(client: Client) -> None:
    (start,) = (await client.upcoming(UpcomingQuery(text="NIGHT"))).rows

    assert start.task_name == "[/]\x1b nightly"
    assert start.starts_at == datetime(2026, 3, 5, 2, 30, tzinfo=UTC)


async def test_the_outlook_counts_by_the_hour_and_names_who_starts_nothing(client: Client) -> None:
    outlook = await client.outlook(hours=16)

    assert [hour.starts for hour in outlook.hours] == [0, *[1] * 13, 2, 1]
    assert outlook.hours[0].at == NOON
    assert (outlook.paused_tasks, outlook.tasks_without_start) == (1, 1)
    assert [(task.task_name, task.next_run_at) for task in outlook.without_start] == [
        ("by hand", None)
    ]


async def test_the_timeline_has_what_has_been_and_what_comes(client: Client) -> None:
    picture = await client.timeline(
        TimelineQuery(since=NOON - 2 * HOUR, until=NOON + 2.5 * HOUR, cells=45, limit=2)
    )

    assert picture.total == 4
    nightly, hourly = picture.rows
    (bar,) = nightly.bars
    assert (bar.run_id, bar.at, bar.until) == (7, NOON - HOUR, NOON - HOUR / 2)
    assert bar.status is Status.FAILED
    assert (hourly.starts, hourly.usual_s) == ([NOON + HOUR, NOON + 2 * HOUR], 7200)
