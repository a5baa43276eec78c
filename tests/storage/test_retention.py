"""Which runs may be forgotten: oldest first, successes first, never what still matters."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from cronpilot.storage import retention, runs, tasks
from cronpilot.storage.database import Database

from .making import NOON, add_task, slot

DAY = timedelta(days=1)


def add_runs(database: Database, task: int, statuses: str, *, first: datetime) -> list[int]:
    """Runs an hour apart, one a letter: s success, f failed, k skipped, m missed, r running,
    l lost without a known end; their ids."""
    names = {"s": "success", "f": "failed", "k": "skipped", "m": "missed", "r": "running",
             "l": "lost"}  # fmt: skip
    hours = [first + timedelta(hours=number) for number in range(len(statuses))]
    ids = database.write(
        lambda c: runs.record(
            c, [slot(task, at, names[s]) for at, s in zip(hours, statuses, strict=True)]
        )
    ).result()
    ran = [run for run, status in zip(ids, statuses, strict=True) if status not in "km"]
    lost = [run for run, status in zip(ids, statuses, strict=True) if status == "l"]

    def set_columns(c):
        c.execute(runs.RUN.update().where(runs.RUN.c.id.in_(ran)).values(attempts=1))
        c.execute(runs.RUN.update().where(runs.RUN.c.id.in_(lost)).values(finished_at=None))

    database.write(set_columns).result()
    return ids


def oldest(database: Database, task: int, *, failures: bool, now: datetime) -> list[int]:
    found = database.read(lambda c: retention.oldest(c, task, failures=failures, most=200, now=now))
    return [run.run_id for run in found]


@pytest.mark.parametrize(
    ("statuses", "keep", "others", "failures"),
    [
        pytest.param("sssss", 5, None, None, id="as many as are kept: nothing goes"),
        pytest.param("ssssssss", 5, 3, 0, id="successes alone"),
        pytest.param("ffffffff", 5, 0, 3, id="failures alone"),
        pytest.param("ssssssff", 6, 2, 0, id="successes go before failures"),
        pytest.param("ssffffff", 4, 0, 4, id="failures take half of the room at most"),
        pytest.param("kkkkssff", 4, 4, 0, id="skipped slots count with the successes"),
    ],
)
def test_how_many_of_which_are_too_many(database, statuses, keep, others, failures):
    task = add_task(database)
    add_runs(database, task, statuses, first=NOON - 30 * DAY)

    found = database.read(lambda c: retention.excesses(c, keep))

    wanted = [] if others is None else [retention.Excess(task, others, failures)]
    assert found == wanted


def test_a_tasks_own_keep_wins(database):
    own, other = add_task(database, "own", keep=2), add_task(database, "other")
    add_runs(database, own, "sss", first=NOON - 30 * DAY)
    add_runs(database, other, "sss", first=NOON - 30 * DAY)

    assert database.read(lambda c: retention.excesses(c, 3)) == [retention.Excess(own, 1, 0)]


def test_the_newest_success_the_newest_failure_the_last_run_and_what_goes_on_stay(database):
    task = add_task(database)
    ids = add_runs(database, task, "sfsfkr", first=NOON - 30 * DAY)

    assert oldest(database, task, failures=False, now=NOON) == [ids[0], ids[4]]
    assert oldest(database, task, failures=True, now=NOON) == [ids[1]]


def test_slots_of_the_last_day_stay_whatever_the_count(database):
    task = add_task(database)
    ids = add_runs(database, task, "sss", first=NOON - DAY - timedelta(hours=1))

    assert oldest(database, task, failures=False, now=NOON) == ids[:1]


def test_by_age_the_oldest_end_goes_first_and_newest_results_stay(database):
    task = add_task(database)
    ids = add_runs(database, task, "sfsfss", first=NOON - 30 * DAY)
    late = NOON - 30 * DAY + timedelta(hours=4)

    found, after = database.read(lambda c: retention.ended_before(c, late, after=None))
    rest, _ = database.read(lambda c: retention.ended_before(c, late, after=after))

    assert [run.run_id for run in found] == ids[:3]  # the failure at 3 is the newest one
    assert rest == []


def test_an_archived_task_keeps_nothing_beyond_the_age(database):
    task = add_task(database)
    ids = add_runs(database, task, "sf", first=NOON - 30 * DAY)
    database.write(lambda c: tasks.set_columns(c, task, archived_at=NOON)).result()

    found, _ = database.read(lambda c: retention.ended_before(c, NOON, after=None))

    assert [run.run_id for run in found] == ids


def test_a_lost_run_whose_end_nobody_knows_goes_by_the_time_it_was_asked_for(database):
    task = add_task(database)
    ids = add_runs(database, task, "lls", first=NOON - 30 * DAY)

    found = database.read(lambda c: retention.ended_somewhen_before(c, NOON - DAY))

    assert [run.run_id for run in found] == ids[:1]  # the second is the newest failure


def test_forgetting_takes_attempts_along_spares_what_runs_and_leaves_the_figures(database):
    task = add_task(database)
    ids = add_runs(database, task, "sr", first=NOON - 30 * DAY)

    assert database.write(lambda c: retention.forget(c, ids)).result() == 1

    left = database.read(lambda c: runs.states(c, ids))
    view = database.read(lambda c: tasks.views(c, [task]))[0]
    assert list(left) == ids[1:]
    assert (view["runs"], view["successes"]) == (1, 1)


def test_a_row_that_says_its_log_is_gone_counts_as_one_without(database):
    task = add_task(database)
    ids = add_runs(database, task, "sss", first=NOON - 30 * DAY)
    database.write(lambda c: retention.mark_log_removed(c, ids[:1])).result()

    gone = database.read(lambda c: retention.without_log(c, [*ids, 99]))

    assert gone == {ids[0], 99}
