"""What the history and the page of a run say, value by value."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cronpilot.client.fake import NOON, make_run, make_task
from cronpilot.client.messages import AttemptView
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.runner.environment import Account, Attempt, build_environment
from cronpilot.tui import run_words
from cronpilot.tui.formatting import ASCII_MARKS, Cell
from cronpilot.tui.run_report import in_words, report, still_to_come, why_started

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def ended(status=Status.SUCCESS, **fields):
    return make_run(7, **{"status": status, "pid": None, "finished_at": NOON, **fields})


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        pytest.param(NOON - 5 * HOUR, "08:00:00", id="today, on the clock of the zone"),
        pytest.param(NOON - 12.5 * HOUR, "00:30:00", id="today begins at its midnight"),
        pytest.param(NOON - 14 * HOUR, "3 Mar 23:00", id="yesterday"),
        pytest.param(NOON - 299 * DAY, "9 May 14:00", id="ten months"),
        pytest.param(NOON - 300 * DAY, "8 May 2025", id="longer ago"),
    ],
)
def test_a_past_moment_is_short_and_unambiguous(at, shown):
    assert run_words.stamp(at, NOON, BERLIN) == shown


@pytest.mark.parametrize(
    ("late", "cell"),
    [
        pytest.param(0.9, Cell(""), id="on time"),
        pytest.param(5, Cell("5s", "muted"), id="a little"),
        pytest.param(60, Cell("1m 00s", "warn"), id="noticeably"),
    ],
)
def test_lateness_is_said_where_there_is_any(late, cell):
    assert run_words.lateness(ended(started_at=NOON + timedelta(seconds=late))) == cell


def test_the_spread_of_a_task_is_not_late():
    began = NOON + timedelta(seconds=95)

    assert run_words.lateness(ended(started_at=began, spread_s=95.0)) == Cell("")
    assert run_words.lateness(ended(started_at=began, spread_s=90.0)) == Cell("5s", "muted")


def test_a_start_by_hand_is_never_late():
    assert run_words.lateness(ended(scheduled_for=None)) == Cell("")


@pytest.mark.parametrize(
    ("run", "words"),
    [
        pytest.param(ended(exit_code=0), "", id="well"),
        pytest.param(ended(exit_code=3), "exit 3", id="well, by a code that counts as success"),
        pytest.param(ended(Status.FAILED, exit_code=2), "exit 2", id="badly"),
        pytest.param(ended(Status.FAILED, signal=9), "SIGKILL", id="a signal"),
        pytest.param(ended(Status.SKIPPED, reason=Reason.QUEUE_FULL), "one was waiting already",
                     id="not started"),
        pytest.param(ended(Status.ERROR, reason=Reason.SETUP, detail="No such user."),
                     "No such user.", id="could not be started"),
        pytest.param(make_run(status=Status.QUEUED, detail="waits for pool db 2/2"),
                     "waits for pool db 2/2", id="waits"),
    ],
)  # fmt: skip
def test_why_a_run_has_its_verdict(run, words):
    assert run_words.why(run, NOON, UTC) == words


def test_missed_slots_in_a_row_are_told_as_one():
    run = ended(Status.MISSED, started_at=None, scheduled_for=NOON - 9.5 * HOUR, folded_count=14,
                folded_until=NOON - 7.5 * HOUR, reason=Reason.DOWN)  # fmt: skip
    assert run_words.folded(run, NOON, UTC) == "14 slots missed 02:30-04:30"
    assert run_words.why(run, NOON, UTC) == "14 slots missed 02:30-04:30: no engine ran"


def test_a_run_is_listed_by_the_moment_of_its_record_whenever_it_began():
    waited = make_run(queued_at=NOON - HOUR, started_at=NOON, scheduled_for=NOON - HOUR)
    caught_up = make_run(queued_at=NOON, started_at=NOON, scheduled_for=NOON - 9 * HOUR)
    assert [run_words.when(waited), run_words.when(caught_up)] == [NOON - HOUR, NOON]


def test_missed_slots_over_several_days_name_the_days():
    run = ended(Status.MISSED, started_at=None, scheduled_for=NOON - 2 * DAY, folded_count=48,
                folded_until=NOON - HOUR)  # fmt: skip
    assert run_words.folded(run, NOON, UTC) == "48 slots missed 2 Mar 12:00 - 11:00:00"


@pytest.mark.parametrize(
    ("days", "begins"),
    [(None, None), (7, NOON - 7 * DAY), (0, datetime(2026, 3, 3, 23, tzinfo=UTC))],
)
def test_a_span_begins(days, begins):
    assert run_words.since(days, NOON, BERLIN) == begins


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        pytest.param(ended(), "It ended well.", id="success"),
        pytest.param(ended(Status.FAILED, exit_code=2), "It failed with exit code 2.", id="code"),
        pytest.param(ended(Status.FAILED, signal=11), "It was ended by SIGSEGV.", id="signal"),
        pytest.param(ended(Status.SKIPPED, reason=Reason.ALREADY_RUNNING),
                     "It was skipped: was still running.", id="skipped"),
        pytest.param(ended(Status.ERROR, reason=Reason.SETUP, detail="No such directory."),
                     "It could not be started: could not be set up. No such directory.",
                     id="error"),
        pytest.param(ended(Status.LOST, reason=Reason.HOST_RESTART),
                     "How it ended cannot be known: the machine restarted.", id="lost"),
        pytest.param(make_run(pid=5), "It runs as process 5.", id="running"),
        pytest.param(make_run(status=Status.RETRYING, retry_at=NOON + timedelta(seconds=40)),
                     "An attempt failed; the next one comes in 40s.", id="retrying"),
    ],
)  # fmt: skip
def test_a_verdict_in_words(run, sentence):
    assert in_words(run, NOON, UTC) == sentence


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (Trigger.SCHEDULE, "its schedule"),
        (Trigger.MANUAL, "by hand (cli:1000)"),
        (Trigger.CATCH_UP, "catch-up: its slot passed while no engine ran"),
        (Trigger.TEST, "as a test (cli:1000); it counts for no figure of its task"),
    ],
)
def test_why_it_started(trigger, words):
    actor = "" if trigger in (Trigger.SCHEDULE, Trigger.CATCH_UP) else "cli:1000"
    assert why_started(ended(trigger=trigger, actor=actor)) == words


def test_a_report_has_everything_that_is_known():
    run = ended(Status.FAILED, exit_code=2, attempts=2, started_at=NOON - 5 * MINUTE,
                scheduled_for=NOON - timedelta(seconds=302), duration_s=300.0, usual_s=95.0,
                cpu_s=1.25, max_rss=12_000_000, log_size=812, pool="db",
                environment={"TOKEN": "***", "HOME": "/root"})  # fmt: skip
    attempts = [
        AttemptView(number=1, launch=1, requested_at=NOON, started_at=NOON - 5 * MINUTE,
                    finished_at=NOON, duration_s=12.0, pid=41, signal=9, outcome=Status.FAILED),
        AttemptView(number=2, launch=2, requested_at=NOON, outcome="never"),
    ]  # fmt: skip
    lines = report(run, attempts, make_task(command="make\nall"), NOON, UTC, ASCII_MARKS)
    text = "\n".join("".join(cell.text for cell in line).rstrip() for line in lines)
    assert text == (
        " result    x fail  It failed with exit code 2.\n"
        " why       its schedule\n"
        " slot      2026-03-04 11:54:58 UTC  started 2s late\n"
        " started   2026-03-04 11:55:00 UTC  took 5m 00s  usually 1m 35s  ended just now\n"
        " used      1.2s of CPU, 12.0 MB of memory at most, 812 B of output, pool db\n"
        " command   make\n"
        "           all\n"
        "             #  STARTED          TOOK   EXIT      PID  OUTCOME\n"
        "             1  11:55:00          12s   KILL       41  x fail\n"
        "             2  -                                      o not started\n"
        " variables HOME=/root\n"
        "           TOKEN=***"
    )


@pytest.mark.parametrize("slot", [NOON, None], ids=["by its schedule", "by hand"])
def test_what_the_engine_will_tell_of_a_run_is_known_by_its_number_of_lines(slot):
    listed = make_run(5, scheduled_for=slot, attempts=2, environment=None)
    given = build_environment(
        Attempt(listed.task_name, 5, 2, Path("/var/lib/cronpilot"), slot),
        Account("op", "/home/op"),
        env={},
        working_dir="/",
    )
    read = listed.model_copy(update={"environment": given})
    attempts = [AttemptView(number=n, launch=n, requested_at=NOON) for n in (1, 2)]

    before = report(listed, [], None, NOON, UTC, ASCII_MARKS, is_read=False)
    after = report(read, attempts, make_task(command="make"), NOON, UTC, ASCII_MARKS)

    assert len(before) + still_to_come(listed) == len(after)


def test_of_a_run_that_never_began_only_the_command_has_to_come():
    assert still_to_come(make_run(5, status=Status.MISSED, started_at=None)) == 1


def test_what_comes_from_outside_cannot_harm_the_terminal():
    run = ended(
        detail="\x1b[2J", environment={"A\x1b": "\x1b]0;x\x07"}, actor="\x9b2J", pool="\x1b"
    )
    lines = report(run, [], make_task(command="\x1b[31mred"), NOON, UTC, ASCII_MARKS)
    assert not any("\x1b" in cell.text or "\x9b" in cell.text for line in lines for cell in line)
