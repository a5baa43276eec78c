"""Facts in, sentences out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.domain.schedule import ScheduleType, fire_times
from cronpilot.domain.why import why_at, why_now
from cronpilot.domain.why_facts import Around, Change, Engine, Planned, Row, Task, Try

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
SLOT = datetime(2026, 3, 4, 1, 30, tzinfo=UTC)  # 02:30 in Berlin
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
TOMORROW = SLOT + timedelta(days=1)


def planned(expression="30 2 * * *", **fields) -> Planned:
    """Every night at 02:30 in Berlin."""
    return Planned(
        fire_times(ScheduleType.CUSTOM, expression, BERLIN),
        fire_times(ScheduleType.CUSTOM, expression, UTC_ZONE),
        ScheduleType.CUSTOM, expression, BERLIN, **fields,
    )  # fmt: skip


def task(**fields) -> Task:
    return Task(**{"name": "backup", "plan": planned(), "next_run_at": TOMORROW, **fields})


def row(status, **fields) -> Row:
    given = {"slot": SLOT, "attempts": 1, "queued_at": SLOT, **fields}
    return Row(7, Status(status), Trigger.SCHEDULE, **given)


def asked(about: Row | None, at=SLOT, of=None, **around):
    of = of or task()
    return why_at(of, of.plan, Engine(), Around(row=about, **around), at, NOW)


@pytest.mark.parametrize(
    ("about", "verdict", "rule"),
    [
        pytest.param(row("success"), "It ran and succeeded.", "schedule", id="success"),
        pytest.param(row("failed", exit_code=1, attempts=3),
                     "It ran and failed after 3 attempts with exit code 1.", "success_codes: 0",
                     id="failed after retries"),
        pytest.param(row("failed", signal=9), "It ran and failed with signal 9 (SIGKILL).",
                     "success_codes: 0", id="killed by a signal"),
        pytest.param(row("timeout"), "It ran longer than its timeout and was stopped.", "timeout",
                     id="timeout"),
        pytest.param(row("stopped", reason=Reason.LOG_LIMIT),
                     "It was stopped: it printed more than its log_limit.", "log_limit",
                     id="log limit"),
        pytest.param(row("lost", reason=Reason.HOST_RESTART),
                     "It was started, and how it ended cannot be known: the machine restarted.",
                     "on_lost: mark", id="lost"),
        pytest.param(row("lost", reason=Reason.ENGINE_RESTART),
                     "It was started, and how it ended cannot be known: nobody was left who saw"
                     " it.", "on_lost: mark", id="lost with those who held it"),
        pytest.param(row("lost", reason=Reason.RESTORED),
                     "It was started, and how it ended cannot be known: the database was restored.",
                     "on_lost: mark", id="lost with a database"),
        pytest.param(row("missed", reason=Reason.RESTORED),
                     "It has no verdict: it lies between a copy of the database and its"
                     " restoration, and whether it ran cannot be known.", "restored",
                     id="restored"),
        pytest.param(row("error", detail="/nope does not exist."),
                     "It could not be started: /nope does not exist.", "setup", id="setup"),
        pytest.param(row("missed", reason=Reason.DEADLINE),
                     "It was missed: it could not start within its deadline.", "deadline",
                     id="deadline"),
        pytest.param(row("skipped", reason=Reason.QUEUE_FULL),
                     "It was skipped: another run of it was waiting already.", "overlap: queue",
                     id="queue full"),
        pytest.param(row("queued", waits="waits for a free slot 10/10", ahead=3),
                     "It is queued since 2026-03-04 02:30 CET: it waits for a free slot 10/10, 3"
                     " ahead.", "queued", id="queued"),
        pytest.param(row("running", started_at=SLOT), "It is running since 2026-03-04 02:30 CET.",
                     "schedule", id="running"),
    ],
)  # fmt: skip
def test_each_verdict_has_its_sentence_and_its_rule(about, verdict, rule):
    said = asked(about)

    assert (said.verdict, said.rule, said.runs) == (verdict, rule, (7,))


def test_details_tell_attempts_lateness_and_duration():
    began = SLOT + timedelta(hours=2)
    about = row("failed", exit_code=2, attempts=2, started_at=began,
                finished_at=began + timedelta(seconds=4))  # fmt: skip
    tries = (Try(1, began, began, "failed", 1, None), Try(2, began, None, None, None, None))

    said = asked(about, tries=tries)

    assert said.because == (
        "Attempt 1 began at 2026-03-04 04:30 CET: exit code 1.",
        "Attempt 2 began at 2026-03-04 04:30 CET.",
        "It started 2h late, at 2026-03-04 04:30 CET.",
        "It took 4.0s, until 2026-03-04 04:30:04 CET.",
    )


def test_a_folded_row_holds_the_verdict_of_each_of_its_slots():
    folded = row("missed", reason=Reason.DOWN, slot=SLOT - timedelta(days=9), until=SLOT, count=10)

    said = asked(folded, at=SLOT - timedelta(days=4))

    assert said.verdict == "It was missed: no engine ran."
    assert said.slot == SLOT - timedelta(days=4)
    assert said.because[0].startswith("When the engine before it ended is not known")


@pytest.mark.parametrize(
    ("around", "verdict", "rule"),
    [
        pytest.param({"kept_since": SLOT + timedelta(days=1)}, "It has no row any more.",
                     "not kept", id="the row was removed"),
        pytest.param({"stepped": "+3600 s"}, "It has no row.", "clock moved", id="a moved clock"),
        pytest.param({}, "It has no row, and nothing that is known says why.", "unknown",
                     id="honest to the last"),
        pytest.param({"changes": (Change(SLOT + timedelta(hours=1), "tui:0", "'a'", "'b'"),)},
                     "It has no row: the task was changed after it.", "changed", id="changed"),
        pytest.param({"changes": (Change(SLOT + timedelta(hours=1), "tasks.yaml", None, "'a'"),)},
                     "It has no row: the task was made after it.", "not made yet", id="made"),
        pytest.param({"changes": (Change(SLOT + timedelta(hours=1), "tui:0", "'a'", None),)},
                     "It has no row: the task was taken away after it.", "archived",
                     id="taken away"),
    ],
)  # fmt: skip
def test_a_slot_without_a_row(around, verdict, rule):
    said = asked(None, **around)

    assert (said.verdict, said.rule) == (verdict, rule)


def test_what_is_due_waits_for_an_engine():
    of = task(next_run_at=SLOT)

    said = why_at(of, of.plan, Engine(runs=False), Around(), SLOT, NOW)

    assert said.verdict == "It has no verdict yet."
    assert said.because == (
        "It was due at 2026-03-04 02:30 CET, and no engine runs. The next one decides, by missed:"
        " once.",
    )


@pytest.mark.parametrize(
    ("expression", "at", "sentence"),
    [
        pytest.param("*/30 * * * *", datetime(2026, 3, 29, 1, tzinfo=UTC),
                     "The clock went from 02:00 to 03:00 at 2026-03-29 03:00 CEST: 2 times of this"
                     " task in it did not exist that day, and a schedule that follows the clock"
                     " starts nothing for them.", id="swallowed"),
        pytest.param("15,45 2 * * *", datetime(2026, 3, 29, 1, tzinfo=UTC),
                     "The clock went from 02:00 to 03:00 at 2026-03-29 03:00 CEST: 2 times of this"
                     " task in it became one start, right after.", id="collapsed"),
        pytest.param("30 2 * * *", datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
                     "The clock was put back from 03:00 to 02:00 that day: this was the first pass"
                     " of that hour, and it starts in that one only.", id="fixed, first pass"),
        pytest.param("*/30 * * * *", datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
                     "The clock was put back from 03:00 to 02:00 that day: this was the first pass"
                     " of that hour, and it starts in both.", id="wildcard, first pass"),
        pytest.param("*/30 * * * *", datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
                     "The clock was put back from 03:00 to 02:00 that day: this was the second pass"
                     " of that hour.", id="wildcard, second pass"),
    ],
)  # fmt: skip
def test_the_change_of_the_clock_is_told(expression, at, sentence):
    of = task(plan=planned(expression))
    about = row("success", slot=of.plan.times.latest(at), queued_at=at)

    said = why_at(of, of.plan, Engine(), Around(row=about), at, at + timedelta(hours=9))

    assert sentence in said.because


def test_a_plan_to_come_names_what_stands_in_its_way():
    of = task(paused_at=NOW, paused_by="tui:0")

    said = why_at(of, of.plan, Engine(), Around(), TOMORROW, NOW)

    assert said.verdict == "It is planned for 2026-03-05 02:30 CET."
    assert said.because == (
        "It is paused since 2026-03-04 13:00 CET by tui:0: nothing of it starts by itself.",
    )


def test_spread_is_told_with_the_plan():
    of = task(plan=planned(offset=timedelta(minutes=4)), next_run_at=TOMORROW)

    now = why_now(of, Engine(), NOW, (), Around())
    later = why_at(of, of.plan, Engine(), Around(), TOMORROW, NOW)

    assert now.because == ("Its spread puts every start 4m later.",)
    assert later.verdict == (
        "It is planned for 2026-03-05 02:30 CET, starting at 2026-03-05 02:34 CET by its spread."
    )


def test_a_schedule_that_ended_plans_nothing():
    said = why_now(replace(task(), next_run_at=None), Engine(), NOW, (), Around())

    assert (said.verdict, said.rule) == (
        "Its schedule, 30 2 * * *, has no further time.",
        "no slot",
    )
