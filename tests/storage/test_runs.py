"""Runs are recorded once, claimed in order, and never leave a final state."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from cronpilot.client.messages import RunQuery
from cronpilot.domain.run import MOVES, Reason, Status, Trigger
from cronpilot.storage import history, runs, tasks
from cronpilot.storage.database import Database
from tests.storage.making import MINUTE, NOON, add_task, slot


def record(database: Database, *slots: runs.Slot) -> list[int]:
    return database.write(lambda c: runs.record(c, slots)).result()


def queue(database: Database, **options) -> list[int]:
    given = {"most": 10, "full_pools": [], "held": [], "scheduler_paused": False, **options}
    return [run["id"] for run, _ in database.read(lambda c: runs.next_in_queue(c, **given))]


def move(database: Database, run_id: int, to: Status) -> bool:
    return database.write(lambda c: runs.move(c, run_id, to)).result()


def test_a_slot_is_recorded_once_whoever_tries_again(database):
    task = add_task(database)

    assert len(record(database, slot(task))) == 1
    assert len(record(database, slot(task), slot(task, NOON + MINUTE))) == 1
    total = database.read(lambda c: history.page(c, RunQuery()))[1]
    assert total == 2


def test_a_slot_that_is_recorded_already_is_not_counted_again(database):
    task = add_task(database)
    skipped = slot(task, status="skipped", reason=Reason.ALREADY_RUNNING)
    record(database, skipped)
    record(database, skipped)

    row = database.read(lambda c: tasks.views(c, [task]))[0]
    assert row["last_verdicts"] == ["skipped"]


def test_the_last_result_of_a_task_is_no_mere_note_about_a_slot(database):
    task = add_task(database)
    ran = record(database, slot(task))
    record(database, slot(task, NOON + MINUTE, "skipped", reason=Reason.ALREADY_RUNNING))

    row = database.read(lambda c: tasks.views(c, [task]))[0]
    assert row["last_id"] == ran[0]


def test_the_queue_is_by_priority_then_by_age(database):
    for number, priority in enumerate([0, 5, 0, 5]):
        task = add_task(database, f"task-{number}", priority=priority)
        record(database, slot(task, priority=priority))

    assert queue(database) == [2, 4, 1, 3]


def test_runs_of_a_full_pool_wait_and_do_not_hold_up_others(database):
    for number, pool in enumerate(["db", "db", None]):
        task = add_task(database, f"task-{number}", pool=pool)
        record(database, slot(task, pool=pool))

    assert queue(database, full_pools=["db"]) == [3]


@pytest.mark.parametrize(
    ("overlap", "startable"),
    [
        pytest.param("queue", [1], id="queue: one after the other"),
        pytest.param("allow", [1, 2], id="allow: side by side"),
    ],
)
def test_runs_of_one_task_take_turns_unless_it_allows_overlap(database, overlap, startable):
    task = add_task(database, overlap=overlap)
    record(database, slot(task), slot(task, NOON + MINUTE))

    assert queue(database) == startable


@pytest.mark.parametrize("going", ["starting", "running", "retrying"])
def test_a_queued_run_waits_for_the_one_that_still_goes(database, going):
    task = add_task(database, overlap="queue")
    first, second = record(database, slot(task), slot(task, NOON + MINUTE))
    database.write(
        lambda c: c.execute(text(f"UPDATE run SET status='{going}' WHERE id={first}"))
    ).result()
    assert queue(database) == []

    move(database, first, Status.FAILED)
    assert queue(database) == [second]


def test_a_paused_task_starts_nothing_by_schedule_but_does_by_hand(database):
    task = add_task(database, overlap="allow")
    record(database, slot(task))
    database.write(lambda c: tasks.set_columns(c, task, paused_at=NOON)).result()
    by_hand = database.write(
        lambda c: runs.add_manual(
            c, tasks.facts(c, [task])[0], request_id="r1", actor="me", at=NOON, refused=None
        )
    ).result()

    assert queue(database) == [by_hand]
    assert queue(database, scheduler_paused=True) == [by_hand]


def test_a_request_that_comes_twice_makes_one_run(database):
    task = add_task(database, overlap="allow")

    def ask(connection):
        row = tasks.facts(connection, [task])[0]
        return runs.add_manual(
            connection, row, request_id="same", actor="me", at=NOON, refused=None
        )  # fmt: skip

    first, again = database.write(ask).result(), database.write(ask).result()

    assert first == again
    assert queue(database) == [first]


def test_a_claim_is_a_launch_with_the_number_of_its_attempt(database):
    task = add_task(database)
    record(database, slot(task))
    run = database.read(
        lambda c: runs.next_in_queue(
            c, most=1, full_pools=[], held=[], scheduler_paused=False
        )
    )[0][0]  # fmt: skip

    database.write(lambda c: runs.claim(c, [run], [None], boot_id="boot", at=NOON)).result()

    assert [dict(row) for row in database.read(runs.in_flight)] == [
        {"id": 1, "task_id": task, "launches": 1, "status": "starting", "boot_id": "boot"}
    ]
    assert queue(database) == []


def test_a_further_attempt_is_counted_and_leaves_the_start_of_the_first(database):
    task = add_task(database)
    run_id = record(database, slot(task))[0]

    for launch in (1, 2):
        database.write(
            lambda c, launch=launch: c.execute(
                text(f"UPDATE run SET status='starting', launches={launch}")
            )
        ).result()
        started = runs.Start(run_id, launch, 4242, NOON + launch * MINUTE)
        database.write(lambda c, started=started: runs.start(c, [started])).result()

    state = database.read(lambda c: runs.state(c, run_id))
    assert (state["attempts"], state["started_at"]) == (2, NOON + MINUTE)


@pytest.mark.parametrize("final", [status for status in Status if status.is_final])
def test_a_final_state_is_never_left(database, final):
    task = add_task(database)
    run_id = record(database, slot(task))[0]
    database.write(
        lambda c: c.execute(text(f"UPDATE run SET status='{final}' WHERE id={run_id}"))
    ).result()

    moved = [move(database, run_id, to) for to in Status]

    assert not any(moved)


def test_every_state_that_is_not_final_has_a_way_out():
    assert set(MOVES) == {status for status in Status if not status.is_final}


def test_a_queued_run_is_overdue_beyond_its_deadline_and_not_at_it(database):
    task = add_task(database, deadline="10m")
    record(database, slot(task))

    def overdue(minutes: float) -> list[int]:
        moment = NOON + minutes * MINUTE
        return database.read(lambda c: runs.overdue(c, moment))

    assert overdue(10) == []
    assert overdue(10.01) == [1]


def test_a_deadline_counts_from_behind_the_spread(database):
    task = add_task(database, deadline="10m", spread="5m")
    record(database, slot(task))

    assert database.read(lambda c: runs.overdue(c, NOON + 15 * MINUTE)) == []
    assert database.read(lambda c: runs.overdue(c, NOON + 16 * MINUTE)) == [1]


def test_a_deadline_bounds_the_start_of_a_run_and_not_that_of_its_retries(database):
    task = add_task(database, deadline="10m")
    record(database, slot(task))
    database.write(lambda c: c.execute(text("UPDATE run SET attempts=1, launches=1"))).result()

    assert database.read(lambda c: runs.overdue(c, NOON + 60 * MINUTE)) == []


def test_a_retry_returns_to_the_queue_when_its_time_has_come(database):
    task = add_task(database)
    run_id = record(database, slot(task))[0]
    database.write(
        lambda c: c.execute(text("UPDATE run SET status='running', attempts=1, launches=1"))
    ).result()
    later = NOON + timedelta(seconds=90)
    database.write(lambda c: runs.move(c, run_id, Status.RETRYING, retry_at=later)).result()

    assert database.read(runs.next_retry) == later
    assert database.write(lambda c: runs.due_retries(c, NOON)).result() == []
    assert database.write(lambda c: runs.due_retries(c, later)).result() == [run_id]


def test_figures_count_what_counts(database):
    task = add_task(database)
    took = timedelta(seconds=2)
    results = [
        runs.Result(task, status, took)
        for status in (Status.SUCCESS, Status.FAILED, Status.STOPPED, Status.SKIPPED, Status.LOST)
    ]
    database.write(lambda c: runs.count_results(c, results)).result()

    row = database.read(lambda c: tasks.views(c, [task]))[0]
    assert (row["runs"], row["successes"], row["duration_ms"]) == (3, 1, 2000)
    assert row["last_verdicts"] == ["success", "failed", "stopped", "skipped", "lost"]


def test_history_is_paged_by_the_last_id_seen(database):
    task = add_task(database)
    record(database, *(slot(task, NOON + n * MINUTE) for n in range(5)))

    def page(before):
        query = RunQuery(task_id=task, before=before, limit=2)
        return [row["id"] for row in database.read(lambda c: history.page(c, query))[0]]

    assert [page(None), page(4), page(2)] == [[5, 4], [3, 2], [1]]


def test_what_is_made_up_for_goes_one_by_one_beside_runs_of_a_task_that_allows_it(database):
    task = add_task(database, overlap="allow")
    late = [
        slot(task, NOON + n * MINUTE, trigger=Trigger.CATCH_UP) for n in range(2)
    ]  # fmt: skip
    first, second, on_time = record(database, *late, slot(task, NOON + 2 * MINUTE))
    assert queue(database) == [first, on_time]

    move(database, on_time, Status.STARTING)
    assert queue(database) == [first]

    move(database, first, Status.STARTING)
    assert queue(database) == []

    move(database, first, Status.LOST)
    assert queue(database) == [second]


@pytest.mark.parametrize(
    ("question", "index"),
    [
        pytest.param(lambda c: tasks.due(c, NOON), "task_due", id="what is due"),
        pytest.param(tasks.earliest, "task_due", id="when the next one is due"),
        pytest.param(lambda c: tasks.open_runs(c, [1]), "run_open", id="what still goes of a task"),
        pytest.param(
            lambda c: runs.next_in_queue(
                c, most=1, full_pools=[], held=[], scheduler_paused=False
            ),
            "run_queue", id="the queue",
        ),
        pytest.param(
            lambda c: history.page(c, RunQuery(task_id=1)), "run_task", id="the history of a task"
        ),
        pytest.param(lambda c: runs.overdue(c, NOON), "run_queue", id="what waits too long"),
        pytest.param(runs.busy, "run_status", id="slots taken"),
    ],
)  # fmt: skip
def test_hot_questions_are_answered_from_an_index(database, question, index):
    steps: list[str] = []

    def explain(connection):
        driver = connection.connection.driver_connection
        asked: list[str] = []
        driver.set_trace_callback(asked.append)
        question(connection)
        driver.set_trace_callback(None)
        for statement in asked:
            steps.extend(row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}"))

    database.read(explain)
    assert any(index in step for step in steps), steps
    assert not any(step == "SCAN run" for step in steps), steps
