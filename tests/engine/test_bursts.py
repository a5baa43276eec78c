"""Many tasks due at once are decided by kinds; each meets the verdict it would meet alone."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import select, text

from cronpilot.domain.run import Status
from cronpilot.domain.task import TaskSpec
from cronpilot.engine import planner
from cronpilot.storage import runs, tasks
from cronpilot.storage.database import Connection, Database
from cronpilot.storage.migrate import prepare
from cronpilot.storage.tables import Origin
from tests.storage.making import MINUTE, NOON, slot

KINDS = product(
    ("skip", "queue", "replace", "allow"),
    ("skip", "once", "all"),
    (None, "1m", "9m"),  # deadline: over, or not, for what was due at noon
    (timedelta(), timedelta(minutes=5), timedelta(hours=3)),  # how long before noon it was due
    (None, "10m"),  # spread
    (None, "queued", "running"),  # a run that is open
)
SIMPLE = (None, None)  # neither spread nor a run that is open: decided by kind
RULES = [rules for rules in KINDS for _ in range(2 if rules[4:] == SIMPLE else 1)]
WATCHED_SINCE, NOW = NOON - timedelta(hours=1), NOON + 2 * MINUTE


@pytest.fixture
def every_kind(tmp_path: Path):
    """Makes a database with a task of every kind, all due by noon."""

    def make(name: str) -> Database:
        file = tmp_path / name
        prepare(file)
        database = Database(file)
        database.write(_add_every_kind).result()
        return database

    return make


def _add_every_kind(connection: Connection) -> None:
    for number, (overlap, missed, deadline, late, spread, going) in enumerate(RULES):
        spec = TaskSpec.model_validate(
            {
                "name": f"task {number}", "command": "true", "schedule": "*/5 * * * *",
                "overlap": overlap, "missed": missed, "deadline": deadline,
                "spread": spread or "0s",
                "priority": number % 3, "pool": "db" if number % 5 == 0 else None,
            }
        )  # fmt: skip
        at = NOON - late + planner.spread_offset(spec.name, spec.spread)
        task = tasks.add(
            connection, spec, tasks.Plan("*/5 * * * *", "UTC", at),
            origin=Origin.FILE, actor="test", at=NOON,
        )  # fmt: skip
        if going:
            runs.record(connection, [slot(task, NOON - timedelta(days=1), going)])


def outcome(database: Database):
    """What stands in the database afterwards, without the order in which it was written."""
    run = [column for column in runs.RUN.c if column.name != "id"]
    with_last = select(tasks.TASK.c.id, tasks.TASK.c.next_run_at, runs.RUN.c.scheduled_for)
    with_last = with_last.outerjoin(runs.RUN, runs.RUN.c.id == tasks.TASK.c.last_run_id)
    return database.read(
        lambda c: (
            c.execute(select(*run).order_by(runs.RUN.c.task_id, runs.RUN.c.scheduled_for)).all(),
            c.execute(with_last.order_by(tasks.TASK.c.id)).all(),
        )
    )


def test_each_task_of_a_burst_meets_the_verdict_it_would_meet_alone(every_kind):
    together, alone = every_kind("together.db"), every_kind("alone.db")
    ids = [row["id"] for row in together.read(tasks.all_definitions)]

    burst = together.write(lambda c: planner.decide_due(c, ids, NOW, WATCHED_SINCE)).result()

    def one_by_one(connection: Connection) -> planner.Changes:
        changes = planner.Changes()
        for id_ in ids:
            changes.add(
                planner._decide_each(
                    connection, [id_], tasks.open_runs(connection, [id_]), NOW, WATCHED_SINCE
                )
            )
        return changes

    single = alone.write(one_by_one).result()
    assert outcome(together) == outcome(alone)
    assert burst.task_ids == single.task_ids
    assert sorted(burst.run_ids) == sorted(single.run_ids)
    assert sorted(burst.to_stop) == sorted(single.to_stop)
    assert sorted(burst.warnings) == sorted(single.warnings)
    together.close()
    alone.close()


def due_at_noon(database: Database, count: int, **fields) -> list[int]:
    spec = TaskSpec(name="x", command="true", schedule="* * * * *", **fields)

    def add(connection: Connection) -> list[int]:
        return [
            tasks.add(
                connection, spec.model_copy(update={"name": f"task {number}"}),
                tasks.Plan("* * * * *", "UTC", NOON), origin=Origin.FILE, actor="test", at=NOON,
            )
            for number in range(count)
        ]  # fmt: skip

    return database.write(add).result()


@pytest.fixture
def database(tmp_path: Path):
    """An empty database."""
    prepare(tmp_path / "cronpilot.db")
    database = Database(tmp_path / "cronpilot.db")
    yield database
    database.close()


def decide(database: Database, ids: list[int]) -> planner.Changes:
    return database.write(lambda c: planner.decide_due(c, ids, NOON, WATCHED_SINCE)).result()


def test_a_slot_that_is_recorded_already_is_left_and_the_task_plans_on(database):
    ids = due_at_noon(database, 3)
    database.write(lambda c: runs.record(c, [slot(ids[1], NOON, "success")])).result()

    changes = decide(database, ids)

    rows = database.read(lambda c: c.execute(select(runs.RUN.c.task_id, runs.RUN.c.status)).all())
    assert sorted(rows) == [
        (ids[0], Status.QUEUED), (ids[1], Status.SUCCESS), (ids[2], Status.QUEUED)
    ]  # fmt: skip
    assert len(changes.run_ids) == 2
    assert database.read(tasks.earliest) == NOON + MINUTE


def test_each_run_knows_the_version_of_its_task(database):
    ids = due_at_noon(database, 2)
    database.write(lambda c: tasks.set_columns(c, ids[1], version=7)).result()

    decide(database, ids)

    found = select(runs.RUN.c.task_id, runs.RUN.c.task_version).order_by(runs.RUN.c.task_id)
    assert database.read(lambda c: c.execute(found).all()) == [(ids[0], 1), (ids[1], 7)]


def test_what_was_paused_archived_or_moved_since_the_pass_began_is_left(database):
    ids = due_at_noon(database, 4)

    def edit(connection: Connection) -> None:
        tasks.set_columns(connection, ids[0], paused_at=NOON)
        tasks.set_columns(connection, ids[1], archived_at=NOON)
        tasks.set_columns(connection, ids[2], next_run_at=NOON + 3 * MINUTE)

    database.write(edit).result()

    changes = decide(database, ids)
    assert changes.task_ids == {ids[3]}
    recorded = database.read(lambda c: c.execute(text("SELECT task_id FROM run")).scalars().all())
    assert recorded == [ids[3]]
