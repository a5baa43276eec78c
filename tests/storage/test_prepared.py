"""What a prepared statement gives and takes is what SQLAlchemy itself would."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from cronpilot.domain.run import Status
from cronpilot.storage import runs
from cronpilot.storage.database import among, as_list
from cronpilot.storage.prepared import Prepared
from cronpilot.storage.runs import RUN, TASK
from cronpilot.storage.tables import Setting
from tests.storage.making import NOON, add_task, slot

SETTING = Setting.__table__


def test_columns_come_back_as_what_they_mean(database):
    add_task(database, deadline="90s", env={"A": "1"})
    statement = select(TASK.c.schedule, TASK.c.next_run_at, TASK.c.deadline, TASK.c.env)

    usual = database.read(lambda c: [dict(row) for row in c.execute(statement).mappings()])
    prepared = database.read(lambda c: Prepared(statement).rows(c))
    assert prepared == usual
    assert (prepared[0]["next_run_at"], prepared[0]["deadline"]) == (NOON, timedelta(seconds=90))


def test_what_is_given_is_stored_as_the_column_stores_it(database):
    task = add_task(database)
    (run,) = database.write(lambda c: runs.record(c, [slot(task)])).result()

    row = database.read(lambda c: c.execute(select(RUN).where(RUN.c.id == run)).mappings().one())
    assert (row["scheduled_for"], row["status"], row["detail"]) == (NOON, Status.QUEUED, "")


def test_a_list_is_one_parameter(database):
    ids = [add_task(database, name) for name in ("a", "b", "c")]
    among_them = Prepared(select(TASK.c.name).where(among(TASK.c.id, "ids")).order_by(TASK.c.id))

    def names(*wanted: int) -> list[str]:
        return database.read(lambda c: among_them.scalars(c, ids=as_list(wanted)))

    assert (names(ids[0], ids[2]), names(), names(*ids)) == (["a", "c"], [], ["a", "b", "c"])


def test_what_the_database_refuses_is_an_error_of_sqlalchemy(database):
    one = Prepared(insert(SETTING), ("key", "value"))

    def twice(connection):
        with pytest.raises(IntegrityError, match="UNIQUE"):
            one.run_all(connection, [{"key": "a", "value": "1"}] * 2)

    database.write(twice).result()


def test_a_list_of_any_length_is_refused(database):
    statement = select(TASK.c.id).where(TASK.c.id.in_(bindparam("ids", expanding=True)))

    with pytest.raises(TypeError, match="any length"):
        database.read(lambda c: Prepared(statement).rows(c, ids=[1]))
