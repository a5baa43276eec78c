"""What may need attention: failing tasks, slots without a run, late starts, clocks that moved."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from cronpilot.domain.run import Reason
from cronpilot.storage import attention, meta, runs
from cronpilot.storage.runs import RUN
from tests.storage.making import MINUTE, NOON, add_task, slot

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def record(database, *slots):
    return database.write(lambda c: runs.record(c, slots)).result()


def past(database, task, *statuses):
    """One run a minute with these verdicts, the first at noon; each ended when it began."""
    return record(
        database,
        *(slot(task, NOON + n * MINUTE, status, queued_at=NOON + n * MINUTE)
          for n, status in enumerate(statuses)),
    )  # fmt: skip


def test_a_streak_of_failures_begins_after_the_last_success(database):
    task, other = add_task(database), add_task(database, "other")
    past(database, task, "failed", "success", "failed", "skipped", "timeout", "lost")
    record(database, slot(other, NOON + 30 * MINUTE, "success"))

    streak = database.read(lambda c: attention.streak(c, task))

    assert streak == attention.Streak(3, NOON + 2 * MINUTE, NOON + MINUTE)


def test_a_task_that_never_succeeded_has_no_last_success(database):
    task = add_task(database)
    past(database, task, "failed", "failed")

    assert database.read(lambda c: attention.streak(c, task)) == attention.Streak(2, NOON, None)


def test_slots_without_a_run_are_counted_by_task_and_pauses_are_left_out(database):
    busy, down, paused = (add_task(database, name) for name in ("busy", "down", "paused"))
    record(
        database,
        slot(busy, NOON - 2 * DAY, "missed", queued_at=NOON - 2 * DAY),
        slot(busy, NOON, "skipped", reason=Reason.ALREADY_RUNNING),
        slot(busy, NOON + MINUTE, "skipped", reason=Reason.ALREADY_RUNNING),
        slot(down, NOON, "missed", reason=Reason.DOWN, folded_count=14, queued_at=NOON + MINUTE),
        slot(down, NOON + MINUTE, "success"),
        slot(paused, NOON, "skipped", reason=Reason.PAUSED, folded_count=99),
    )

    found = database.read(lambda c: attention.passed_slots(c, NOON - DAY, 10))

    assert [(row["task_name"], row["missed"], row["skipped"]) for row in found] == [
        ("down", 14, 0),
        ("busy", 0, 2),
    ]
    assert found[0]["newest"] == NOON + MINUTE


def test_a_start_is_late_beyond_its_spread(database):
    task = add_task(database)
    spread = add_task(database, "spread", spread="10m")
    ids = [
        *past(database, task, "success", "success", "missed"),
        *past(database, spread, "success"),
    ]

    def begin(run_id, at):
        database.write(
            lambda c: c.execute(update(RUN).where(RUN.c.id == run_id).values(started_at=at))
        ).result()

    begin(ids[0], NOON + timedelta(seconds=59))
    begin(ids[1], NOON + 3 * MINUTE)
    begin(ids[3], NOON + 9 * MINUTE)

    assert database.read(lambda c: attention.late_starts(c, NOON - DAY, MINUTE, 10)) == [ids[1]]


def test_steps_of_the_clock_are_found_newest_first(database):
    for hours, action in ((30, "clock step"), (3, "clock step"), (2, "engine start"),
                          (1, "clock step")):  # fmt: skip
        database.write(
            lambda c, hours=hours, action=action: meta.note(
                c, at=NOON - hours * HOUR, actor="engine", action=action, detail=f"+{hours} s"
            )
        ).result()

    found = database.read(lambda c: attention.clock_steps(c, NOON - DAY, 10))

    assert [row["detail"] for row in found] == ["+1 s", "+3 s"]
