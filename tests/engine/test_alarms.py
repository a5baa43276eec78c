"""Late starts, long runs and silent tasks: told once each, by the task's own history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cronpilot.storage.migrate import prepare
from tests.engine.life import DAY, HOUR, MINUTE, SECOND, Life


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    """An empty database; ops@example.org is told."""
    prepare(tmp_path / "cronpilot.db")
    made = Life(tmp_path / "cronpilot.db")
    yield made
    made.close()


def seasoned(life: Life, *, runs: int = 6, took: timedelta = 10 * MINUTE, **fields: object) -> int:
    """A task that has succeeded that often, in that time, and on time."""
    task_id = life.task(**fields)
    for _ in range(runs):
        life.ran(task_id, took=took)
    return task_id


def test_a_run_that_takes_twice_as_long_as_usual_is_told_once(life: Life):
    task_id = seasoned(life)
    run_id = life.start(task_id)
    life.now += 20 * MINUTE
    assert life.look() == 0
    life.now += MINUTE
    life.look()
    life.now += HOUR
    assert life.look() == 0

    assert life.told() == ["opened long"]
    assert life.detail() == "It has been running for 21m; more than 20m is not usual."
    life.end(run_id, "success")
    life.judge()
    assert life.told() == ["opened long", "recovered long"]


def test_a_run_that_is_tried_again_is_as_long_as_its_attempt(life: Life):
    task_id = seasoned(life)
    run_id = life.start(task_id, attempts=2)
    for number, began in ((1, life.now), (2, life.now + 30 * MINUTE)):
        life.attempt(run_id, number, began)
    life.now += 45 * MINUTE

    assert life.look() == 0
    life.now += 6 * MINUTE
    life.look()

    assert life.detail() == "It has been running for 21m; more than 20m is not usual."


def test_a_long_run_that_fails_at_last_is_one_recovery_and_one_new_fault(life: Life):
    task_id = seasoned(life)
    run_id = life.start(task_id)
    life.now += HOUR
    life.look()
    life.end(run_id, "timeout")
    life.judge()

    assert life.told() == ["opened long", "opened failure", "recovered long"]
    assert life.open_faults() == ["failure"]


def test_an_end_that_nobody_judged_takes_the_alarm_back_all_the_same(life: Life):
    task_id = seasoned(life)
    run_id = life.start(task_id)
    life.now += HOUR
    life.look()
    life.end(run_id, "stopped")
    life.write(lambda c: c.exec_driver_sql("DELETE FROM news"))
    life.look()

    assert life.told() == ["opened long", "recovered long"]


@pytest.mark.parametrize(("alarms", "told"), [
    ({"long": "30m"}, ["opened long"]), ({"long": "2h"}, []), ("off", []),
])  # fmt: skip
def test_a_task_may_set_its_own_or_none(life: Life, alarms, told):
    life.start(life.task(alarms=alarms))
    life.now += HOUR
    life.look()

    assert life.told() == told


def test_without_a_history_nothing_is_too_long(life: Life):
    life.start(seasoned(life, runs=4))
    life.now += DAY

    assert life.look() == 0


def test_a_late_start_is_told_while_it_waits_and_over_with_one_in_time(life: Life):
    task_id = seasoned(life, took=SECOND)
    run_id = life.start(task_id, "queued", attempts=0, launches=0)
    life.now += MINUTE
    assert life.look() == 0
    life.now += SECOND
    life.look()
    assert life.told() == ["opened late"]
    assert life.detail() == "It should have started 1m1s ago; more than 1m is not usual."

    life.write(
        lambda c: c.exec_driver_sql(
            "UPDATE run SET status = 'running', attempts = 1, started_at = ? WHERE id = ?",
            (round(life.now.timestamp() * 1e6), run_id),
        )
    )
    life.end(run_id, "success")
    life.judge()
    assert life.open_faults() == ["late"]  # it was late
    life.ran(task_id)
    life.judge()
    assert life.told() == ["opened late", "recovered late"]


def test_the_spread_of_a_task_is_not_late(life: Life):
    task_id = seasoned(life, took=SECOND, spread="1h", alarms={"late": "1s"})
    life.start(task_id, "queued", attempts=0, launches=0)
    life.now += SECOND

    assert life.look() == 0


@pytest.mark.parametrize("column", ["paused_at", "archived_at"])
def test_who_waits_because_somebody_wants_it_is_not_late(life: Life, column):
    task_id = seasoned(life, took=SECOND)
    life.start(task_id, "queued", attempts=0, launches=0)
    if column == "paused_at":
        life.write(lambda c: c.exec_driver_sql("UPDATE task SET paused_at = 1"))
        life.now += DAY
        assert life.look() == 0


def test_a_task_without_a_success_for_long_is_silent(life: Life):
    never = life.task("never", alarms={"silent": "2d"})
    task_id = life.task("weekly", alarms={"silent": "2d"})
    life.ran(task_id)
    life.now += DAY
    assert life.look() == 0
    life.now += DAY
    life.look()

    assert life.told(never) == ["opened silent"]
    assert life.told(task_id) == []
    life.now += HOUR
    life.look()
    assert life.detail() == "No success for 2d1h."
    life.ran(task_id)
    life.judge()
    assert life.told(task_id) == ["opened silent", "recovered silent"]


def test_an_alarm_that_is_switched_off_ends_its_incident(life: Life):
    task_id = life.task(alarms={"silent": "1h"})
    life.now += DAY
    life.look()
    assert life.open_faults() == ["silent"]
    life.write(
        lambda c: c.exec_driver_sql("UPDATE task SET alarms = '\"off\"' WHERE id = ?", (task_id,))
    )
    life.look()

    assert life.open_faults() == []


def test_how_long_a_run_usually_takes_is_shown_while_it_goes(life: Life, tmp_path: Path):
    from cronpilot.engine.reading import Reader
    from cronpilot.engine.views import Congestion

    run_id = life.start(seasoned(life))
    reader = Reader(life.database, tmp_path, lambda: life.now, lambda _: Congestion(1))
    (view,) = life.database.read(lambda c: reader.run_views(c, [life.view(run_id)]))

    assert (view.usual_low_s, view.usual_high_s, view.alarm_s) == (600, 600, 1200)
