"""What comes and what has been, out of a real database; with an engine and without one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cronpilot.client.agenda import TimelineQuery, UpcomingQuery
from cronpilot.domain.run import Status
from cronpilot.engine.offline import OfflineClient
from cronpilot.storage import agenda
from tests.engine.clocks import SetClock
from tests.engine.conftest import finished, start

NOON = datetime(2026, 3, 4, 12, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
TASKS = (
    "name: hourly\ncommand: 'true'\nschedule: hourly :00\npool: db",
    "name: nightly\ncommand: 'false'\nschedule: daily 02:30\ntimezone: Europe/Berlin",
    "name: often\ncommand: 'true'\nschedule: every 20m\nspread: 5m",
    "name: once\ncommand: 'true'\nschedule: once 2090-01-01 00:00",
    "name: by-hand\ncommand: 'true'\nschedule: manual",
)


async def test_starts_of_all_tasks_page_by_page_as_the_whole(bench):
    bench.tasks(*TASKS)
    async with bench.engine(clock=SetClock(NOON)) as engine:
        await engine.pause_task((await engine.find_task("hourly")).id)
        whole = await engine.upcoming(UpcomingQuery(limit=200))
        pages, query = [], UpcomingQuery(limit=7)
        while True:
            page = await engine.upcoming(query)
            pages += page.rows
            if not page.more:
                break
            last = page.rows[-1]
            query = UpcomingQuery(limit=7, since=last.starts_at, after_task=last.task_id)

    assert [(row.task_name, row.starts_at) for row in whole.rows] == [
        (row.task_name, row.starts_at) for row in pages]  # fmt: skip
    assert not whole.more
    by_name = {row.task_name: row for row in whole.rows}
    assert set(by_name) == {"hourly", "nightly", "often"}
    assert by_name["nightly"].starts_at == datetime(2026, 3, 5, 1, 30, tzinfo=UTC)
    assert by_name["hourly"].paused
    assert by_name["often"].scheduled_for < by_name["often"].starts_at
    assert sum(row.task_name == "often" for row in whole.rows) in (71, 72)


async def test_the_outlook_counts_what_the_list_names(bench):
    bench.tasks(*TASKS)
    async with bench.engine(clock=SetClock(NOON)) as engine:
        outlook = await engine.outlook()
        end = outlook.hours[-1].at + HOUR
        rows = (await engine.upcoming(UpcomingQuery(until=end))).rows

    assert len(outlook.hours) == 24
    for hour in outlook.hours:
        listed = sum(hour.at <= row.starts_at < hour.at + HOUR for row in rows)
        assert hour.starts == listed, hour.at
    assert [task.task_name for task in outlook.without_start] == ["once", "by-hand"]


async def test_thousands_of_tasks_with_one_schedule_are_one_row_of_the_outlook(bench):
    """Each of them alone took longer than all the rest of what the view asks for."""
    nightly = "name: nightly-{0}\ncommand: 'true'\nschedule: daily 02:30\n{1}"
    spread = ["spread: 5m", "spread: 5m"]  # each has a place of its own in it
    bench.tasks(*(nightly.format(i, more) for i, more in enumerate(["", "", "", "", *spread])))
    async with bench.engine(clock=SetClock(NOON)) as engine:
        await engine.pause_task((await engine.find_task("nightly-3")).id)
        outlook = await engine.outlook()
        rows = await engine._reader.read(lambda c: agenda.planned_alike(c, NOON + 24 * HOUR))

    assert sorted(row["tasks"] for row in rows) == [1, 1, 3]
    assert [hour.starts for hour in outlook.hours if hour.starts] == [5]
    assert outlook.paused_tasks == 1


@pytest.mark.parametrize("offline", [False, True], ids=["engine", "no engine"])
async def test_the_timeline_shows_runs_and_starts(bench, offline):
    bench.tasks(*TASKS)
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "nightly")).id)
    now = datetime.now(UTC)
    query = TimelineQuery(since=now - HOUR, until=now + HOUR, cells=60, sort="name", limit=3)
    if offline:
        client = OfflineClient(bench.database, bench.state_dir, max_workers=3, timezone="UTC")
        picture = await client.timeline(query)
        upcoming, outlook = await client.upcoming(UpcomingQuery(limit=1)), await client.outlook()
        await client.close()
        assert upcoming.more
        assert outlook.tasks_without_start == 2
    else:
        async with bench.engine() as engine:
            picture = await engine.timeline(query)

    assert picture.total == 5
    assert [row.name for row in picture.rows] == ["by-hand", "hourly", "nightly"]
    assert len(picture.rows[1].starts) in (1, 2)
    (bar,) = picture.rows[2].bars
    assert (bar.run_id, bar.status, bar.count) == (run.id, Status.FAILED, 1)
