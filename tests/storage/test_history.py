"""Pages through the runs: every filter finds what a plain look at all rows finds, from an index."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import event

from cronpilot.client.messages import RunQuery
from cronpilot.domain.run import BAD, Status
from cronpilot.storage import history, runs
from tests.storage.making import MINUTE, NOON, add_task, slot

STATUSES = ("success", "failed", "success", "missed", "timeout", "success", "skipped")


@pytest.fixture
def tasks(database):
    """Four tasks of which each had a run every minute for an hour, with verdicts of all kinds."""
    ids = [add_task(database, name) for name in ("backup-db", "backup-files", "probe", "Report")]
    rows = [
        slot(task, NOON + n * MINUTE, STATUSES[(n + task) % len(STATUSES)],
             queued_at=NOON + n * MINUTE)
        for n in range(60) for task in ids
    ]  # fmt: skip
    database.write(lambda c: runs.record(c, rows)).result()
    return ids


@pytest.fixture
def rows(database, tasks):
    """All of them as they are, newest first."""
    return database.read(lambda c: runs.views(c, range(1, 241)))[::-1]


def pages(database, query):
    """The ids of all pages of that query, and the total that the first one names."""
    found, total, before = [], None, None
    while True:
        one = query.model_copy(update={"before": before})
        page, counted = database.read(lambda c, one=one: history.page(c, one))
        total = counted if total is None else total
        found += [row["id"] for row in page]
        if len(page) < query.limit:
            return found, total
        before = page[-1]["id"]


QUERIES = [
    RunQuery(**text, **kind, **time, limit=limit)
    for text, kind, time, limit in product(
        ({}, {"text": "BACKUP"}, {"text": "db backup"}, {"task_id": 3}, {"text": "nothing"},
         {"task_id": 3, "text": "backup"}),
        ({}, {"bad": True}, {"status": [Status.MISSED, Status.SKIPPED]},
         {"bad": True, "status": [Status.FAILED, Status.SUCCESS]}),
        ({}, {"since": NOON + 20 * MINUTE}, {"until": NOON + 7 * MINUTE},
         {"since": NOON + 20 * MINUTE, "until": NOON + 40.5 * MINUTE}),
        (7, 200),
    )
]  # fmt: skip


@pytest.mark.parametrize("few", [5_000, 1], ids=["by status", "by task"])
@pytest.mark.parametrize("tasks_looked_up", [100, 0], ids=["task by task", "all rows"])
def test_every_filter_finds_what_a_look_at_all_rows_finds(
    database, rows, monkeypatch, few, tasks_looked_up
):
    monkeypatch.setattr(history, "FEW_RUNS", few)
    monkeypatch.setattr(history, "FEW_TASKS", tasks_looked_up)

    for query in QUERIES:
        expected = [row["id"] for row in rows if matches(row, query)]
        found, total = pages(database, query)
        assert found == expected, query
        assert total in (len(expected), -1), query


def matches(row, query):
    words = query.text.lower().split()
    return (
        (query.task_id is None or row["task_id"] == query.task_id)
        and all(word in row["task_name"].lower() for word in words)
        and (not query.status or row["status"] in query.status)
        and (not query.bad or row["status"] in BAD)
        and (query.since is None or row["queued_at"] >= query.since)
        and (query.until is None or row["queued_at"] < query.until)
    )


def test_what_is_dear_to_count_is_not_counted(database, tasks, monkeypatch):
    monkeypatch.setattr(history, "MOST_COUNTED", 100)

    def total(**filters):
        query = RunQuery(limit=5, **filters)
        return database.read(lambda c: history.page(c, query))[1]

    assert (total(), total(task_id=1), total(bad=True), total(text="r")) == (-1, 60, 69, -1)


@pytest.mark.parametrize(
    ("moment", "first"),
    [
        pytest.param(NOON - MINUTE, 1, id="before all"),
        pytest.param(NOON, 1, id="the first"),
        pytest.param(NOON + 10 * MINUTE, 41, id="the first of several"),
        pytest.param(NOON + 10.5 * MINUTE, 45, id="between two"),
        pytest.param(NOON + timedelta(days=1), 241, id="after all"),
    ],
)
def test_the_first_run_of_a_time_is_found_by_its_id(database, tasks, moment, first):
    assert database.read(lambda c: history.first_at(c, moment)) == first


def test_the_first_run_of_a_time_in_an_empty_history(database):
    assert database.read(lambda c: history.first_at(c, NOON)) == 1


def test_what_is_active_comes_whole_and_oldest_first(database):
    task = add_task(database)
    rows = [slot(task, NOON + n * MINUTE) for n in range(60)]
    database.write(lambda c: runs.record(c, rows)).result()

    page, total = database.read(lambda c: history.page(c, RunQuery(active=True, limit=5)))

    assert [row["id"] for row in page] == list(range(1, 61))
    assert total == 60


@pytest.mark.parametrize("query", QUERIES[::8], ids=str)
def test_no_page_walks_through_all_runs_or_sorts_them(database, tasks, query):
    asked = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        asked.append((statement, parameters))

    engine = database._reading
    event.listen(engine, "before_cursor_execute", note)
    database.read(lambda c: history.page(c, query))
    event.remove(engine, "before_cursor_execute", note)

    with engine.connect() as connection:
        for statement, parameters in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [row[3] for row in plan]
            if "FROM run" in statement:
                assert not any(step.startswith("SCAN run") for step in steps), (statement, steps)
                if "LIMIT" in statement:
                    assert not any("TEMP B-TREE FOR ORDER" in step for step in steps), statement


def test_the_runs_that_follow_upon_a_run_are_its_next_ones(database, tasks):
    def page(**filters):
        return [
            row["id"] for row in database.read(lambda c: history.page(c, RunQuery(**filters)))[0]
        ]

    assert page(after=10, limit=3) == [13, 12, 11]
    assert page(after=10, task_id=1, limit=2) == [17, 13]
    assert page(after=240, limit=3) == []
