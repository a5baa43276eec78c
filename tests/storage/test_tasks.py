"""What is due, what a page shows, and how a definition changes."""

from __future__ import annotations

import pytest

from cronpilot.client.messages import TaskQuery
from cronpilot.domain.task import TaskSpec
from cronpilot.storage import runs, tasks
from tests.storage.making import MINUTE, NOON, add_task, slot


def names(database, **query) -> list[str]:
    rows, _ = database.read(lambda c: tasks.page(c, TaskQuery(**query)))
    return [row["name"] for row in rows]


def test_due_is_what_is_planned_until_now_soonest_first(database):
    add_task(database, "later", next_run_at=NOON + MINUTE)
    add_task(database, "now", next_run_at=NOON)
    add_task(database, "before", next_run_at=NOON - MINUTE)
    add_task(database, "never", next_run_at=None)
    paused = add_task(database, "paused")
    database.write(lambda c: tasks.set_columns(c, paused, paused_at=NOON)).result()

    due = database.read(lambda c: tasks.due(c, NOON))

    assert [row["name"] for row in due] == ["before", "now"]
    assert database.read(tasks.earliest) == NOON - MINUTE


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("back", ["Backup"], id="part of a name, any case"),
        pytest.param("nightly", ["Backup"], id="a tag"),
        pytest.param("pg_dump", ["Backup"], id="the command"),
        pytest.param("%", ["50% [/] \x1b[31m"], id="a wildcard of SQL is a character"),
        pytest.param("b p", ["Backup"], id="every word has to match"),
        pytest.param("nothing such", [], id="no match"),
    ],
)
def test_filtering(database, text, found):
    add_task(database, "Backup", tags=["nightly"], command="pg_dump shop")
    add_task(database, "50% [/] \x1b[31m")

    assert names(database, text=text) == found


def test_pages_are_sorted_and_counted_by_the_database(database):
    for name in ("b", "a", "d", "c"):
        add_task(database, name)

    rows, total = database.read(
        lambda c: tasks.page(c, TaskQuery(sort="name", offset=1, limit=2))
    )  # fmt: skip

    assert ([row["name"] for row in rows], total) == (["b", "c"], 4)


def test_tasks_without_a_next_run_come_last(database):
    add_task(database, "never", next_run_at=None)
    add_task(database, "soon")

    assert names(database, sort="next_run_at") == ["soon", "never"]


@pytest.mark.parametrize(
    ("sort", "ascending"),
    [
        ("duration", ["quick", "slow", "new"]),
        ("success_rate", ["slow", "quick", "new"]),
        ("state", ["slow", "quick", "new"]),
    ],
)
def test_tasks_are_sorted_by_how_they_did_and_those_without_a_figure_come_last(
    database, sort, ascending
):
    add_task(database, "new")
    for name, status, took in (("quick", "success", 10), ("slow", "failed", 9000)):
        task = add_task(database, name)
        (run,) = database.write(
            lambda c, task=task, status=status: runs.record(c, [slot(task, status=status)])
        ).result()
        database.write(
            lambda c, task=task, run=run, took=took, name=name: tasks.set_columns(
                c, task, last_run_id=run, runs=2, successes=1 + (name == "quick"), duration_ms=took
            )
        ).result()

    assert names(database, sort=sort) == ascending
    descending = names(database, sort=sort, descending=True)
    assert descending[-1] == "new" if sort != "state" else descending[0] == "new"


def test_a_change_is_a_new_version(database):
    task = add_task(database)
    row = database.read(tasks.all_definitions)[0]
    spec = TaskSpec(name="backup", command="false", schedule="hourly :05", timeout="90s")
    plan = tasks.Plan("5 * * * *", "UTC", NOON + MINUTE)

    database.write(lambda c: tasks.change(c, row, spec, plan, actor="me", at=NOON)).result()

    after = database.read(tasks.all_definitions)[0]
    assert tasks.spec_of(after).model_dump() == spec.model_dump()
    assert (after["id"], after["version"], after["resolved"]) == (task, 2, "5 * * * *")


def test_an_archived_task_gives_its_name_free(database):
    first = add_task(database, "backup")
    database.write(lambda c: tasks.set_columns(c, first, archived_at=NOON)).result()

    second = add_task(database, "backup")

    assert second != first
    assert names(database) == ["backup"]


def test_the_figures_of_the_status_bar(database):
    add_task(database, "on", next_run_at=NOON + MINUTE)
    add_task(database, "off", next_run_at=None, active=False)

    totals = database.read(tasks.totals)

    assert (totals.tasks, totals.active, totals.scheduled) == (2, 1, 1)
    assert (totals.next_run_at, totals.next_task) == (NOON + MINUTE, "on")
