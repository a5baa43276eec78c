"""What a database says of its tasks while no engine answers: as the engine says it, or nothing."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta

from cronpilot.client.messages import TaskQuery
from cronpilot.domain.quiet import Rule
from cronpilot.engine.plain_reading import last_known_tasks

from .conftest import finished, start

SHOWN = (
    "id", "name", "tags", "pool", "schedule", "schedule_type", "schedule_words", "schedule_brief",
    "timezone", "active",
    "next_run_at", "next_quiet", "paused_at", "paused_until", "running", "queued", "retrying",
    "success_rate", "average_duration_s", "last_verdicts", "version",
)  # fmt: skip
OF_A_RUN = ("id", "status", "reason", "scheduled_for", "started_at", "finished_at", "duration_s",
            "exit_code")  # fmt: skip


def fields(of, names):
    return {name: getattr(of, name) for name in names}


def shown(task):
    """What the table of tasks shows of a task."""
    last = task.last_run
    return fields(task, SHOWN) | {"last_run": last and fields(last, OF_A_RUN)}


async def test_it_says_of_tasks_what_the_engine_says(bench):
    year = datetime.now(UTC).year
    days = frozenset(f"{year + more}-{month:02}-{day:02}" for more in range(2)
                     for month in range(1, 13) for day in range(1, 29))  # fmt: skip
    bench.tasks(
        "name: good\ncommand: 'true'\nschedule: hourly\ntags: [a, b]",
        "name: bad\ncommand: exit 3\nschedule: daily 02:30\npool: db",
        "name: weekly\ncommand: 'true'\nschedule: weekly mon,thu 09:00\nactive: false",
        "name: cron\ncommand: 'true'\nschedule: 'H 8-18/2 * * mon-fri'",
        "name: often\ncommand: 'true'\nschedule: every 90m",
        "name: once\ncommand: 'true'\nschedule: once 2090-12-24 18:00",
        "name: by hand\ncommand: 'true'\nschedule: manual",
        "name: quiet\ncommand: 'true'\nschedule: '0 12 1-28 * *'\nquiet: [holidays]",
    )
    quiet = {"holidays": Rule("holidays", days=days)}
    async with bench.engine(pools={"db": 2}, quiet=quiet) as engine:
        for name in ("good", "bad"):
            await finished(engine, (await start(engine, name)).id)
        paused = await engine.find_task("by hand")
        await engine.pause_task(paused.id, until=datetime.now(UTC) + timedelta(hours=5))
        gone = await engine.find_task("once")
        await engine.delete_task(gone.id)
        said = await engine.tasks(TaskQuery())

    rows, total = last_known_tasks(bench.database, 0, 100)
    assert [shown(row) for row in rows] == [shown(task) for task in said.rows]
    assert total == said.total == 7
    assert any(task.next_quiet for task in said.rows)
    page, _ = last_known_tasks(bench.database, 2, 2)
    assert [row.name for row in page] == ["weekly", "cron"]


def test_it_leaves_to_the_engine_what_only_that_can_say(bench):
    assert last_known_tasks(bench.database, 0, 100) is None  # there is none yet
    with sqlite3.connect(bench.database) as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('0000')")
    assert last_known_tasks(bench.database, 0, 100) is None  # an old one, to be migrated
    bench.database.write_bytes(b"no database at all, but a text which is long enough" * 99)
    assert last_known_tasks(bench.database, 0, 100) is None
