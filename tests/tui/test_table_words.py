"""What the tables of tasks and of runs say: verdicts, usual durations, progress, waiting."""

from __future__ import annotations

from datetime import UTC, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from cronpilot.client.fake import NOON, make_run, make_task
from cronpilot.client.live import RunUsage
from cronpilot.client.messages import LastRun
from cronpilot.domain.run import Status
from cronpilot.tui import running_words, task_words
from cronpilot.tui.formatting import ASCII_MARKS, Cell, Marks

SECOND = timedelta(seconds=1)


def last(took, status=Status.SUCCESS, **fields):
    return LastRun(id=1, status=status, duration_s=took, started_at=NOON - SECOND, **fields)


def test_the_newest_verdict_comes_first_and_20_are_enough():
    task = make_task(last_verdicts=[Status.FAILED] * 3 + [Status.SUCCESS] * 19 + [Status.TIMEOUT])

    bar = task_words.verdicts(task, Marks())

    assert bar.text == "✗" + "✓" * 19
    assert [(len(cell.text), cell.tone) for cell in bar] == [(1, "bad"), (19, "good")]
    assert task_words.verdicts(task, ASCII_MARKS).text == "x" + "v" * 19


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"average_duration_s": 60.0, "last_run": last(61)}, "1m 00s  ", id="as usual"),
        pytest.param({"average_duration_s": 60.0, "last_run": last(90)}, "1m 00s ↑", id="longer"),
        pytest.param({"average_duration_s": 60.0, "last_run": last(40)}, "1m 00s ↓", id="shorter"),
        pytest.param({"average_duration_s": 0.1, "last_run": last(0.5)}, "0.1s  ", id="in no time"),
        pytest.param({"average_duration_s": 60.0, "last_run": last(2, Status.FAILED)}, "1m 00s  ",
                     id="a failure says nothing of it"),
        pytest.param({"last_run": last(2.5, Status.FAILED)}, "2.5s", id="never a success"),
        pytest.param({"running": 1, "last_run": last(0, Status.SKIPPED)}, "",
                     id="skipped beside a run"),
        pytest.param({"last_run": last(None, Status.RUNNING)}, "1s", id="it goes on"),
        pytest.param({}, "", id="it has never run"),
    ],
)  # fmt: skip
def test_the_usual_duration_and_where_it_tends_to(fields, words):
    assert task_words.usual(make_task(**fields), NOON, Marks()).text == words


def test_tags_and_pool():
    task = make_task(tags=["nightly", "\x1b[1mdb"], pool="db")
    assert task_words.tags(task).text == "nightly \\x1b[1mdb pool db"


@pytest.mark.parametrize(
    ("schedule", "words", "type_", "shown"),
    [
        ("hourly :05", "every hour at minute 5", "hourly", "hourly :05"),
        ("weekly mon,wed,fri 09:00", "every Monday, Wednesday and Friday at 09:00", "weekly",
         "weekly mon,wed,fri 09:00"),
        ("*/7 * * * *", "every 7 minutes, starting over each hour", "custom", "*/7 * * * *"),
        ("5,10,15-20,40-59/3 0-6 * * *", "at 5, 10, 15, 16 minutes past", "custom",
         "at 5, 10, 15, 16 minutes past"),
    ],
)  # fmt: skip
def test_a_schedule_whose_words_find_no_room_is_told_as_in_the_file(schedule, words, type_, shown):
    task = make_task(schedule=schedule, schedule_words=words, schedule_type=type_)
    assert task_words.plan(task, NOON, UTC, room=18).text == shown
    assert task_words.plan(task, NOON, UTC, room=60).text == words


def test_a_schedule_whose_words_find_no_room_is_told_in_few_words():
    task = make_task(schedule="30 6 * * 1-5", schedule_words="Monday to Friday at 06:30",
                     schedule_brief="Mon-Fri 06:30", schedule_type="custom")  # fmt: skip
    told = {room: task_words.plan(task, NOON, UTC, room=room).text for room in (25, 24, 13, 12)}
    assert told == {
        25: "Monday to Friday at 06:30", 24: "Mon-Fri 06:30", 13: "Mon-Fri 06:30",
        12: "30 6 * * 1-5",
    }  # fmt: skip


@pytest.mark.parametrize(("kind", "zone", "shown"), [
    ("daily", "Europe/Berlin", "every day at 02:30"),
    ("daily", "America/New_York", "every day at 02:30 New York"),
    ("custom", "UTC", "every day at 02:30 UTC"),
    ("once", "Asia/Tokyo", "every day at 02:30 Tokyo"),
    ("interval", "Asia/Tokyo", "every day at 02:30"),
    ("manual", "Asia/Tokyo", "every day at 02:30"),
])  # fmt: skip
def test_a_schedule_by_another_clock_says_by_which(kind, zone, shown):
    """Beside it stands the next run, on the clock of the screen."""
    task = make_task(schedule_type=kind, timezone=zone, schedule_brief="daily 02:30")
    plan = partial(task_words.plan, task, NOON, ZoneInfo("Europe/Berlin"))
    assert plan(room=40).text == shown
    assert plan(room=len(shown) - 1).text == shown.replace("every day at", "daily")


def test_a_pause_that_will_end_says_when():
    task = make_task(paused_at=NOON, paused_until=NOON + 6 * 3600 * SECOND)
    words = task_words.plan(task, NOON, UTC, room=80)
    assert words == Cell("paused until 18:00, then every day at 02:30", "warn")


@pytest.mark.parametrize(
    ("usual", "going", "words", "ends"),
    [
        (100.0, 42, "████░░░░░░ 42%  ", "12:00:58"),
        (100.0, 100, "██████████ 100% ", "over 1m 40s"),
        (100.0, 230, "██████████ 2.3x ", "over 1m 40s"),
        (4000.0, 0, "░░░░░░░░░░ 0%   ", "13:06"),
        (None, 5, "none yet", ""),
    ],
)
def test_how_far_a_run_is(usual, going, words, ends):
    run = make_run(usual_s=usual, started_at=NOON - going * SECOND)

    bar = running_words.progress(run, NOON, Marks())

    assert bar.text == words
    assert running_words.expected_end(run, NOON, UTC).text == ends
    assert (bar[0].tone == "warn") is (going == 230)


def test_80_columns_have_a_shorter_bar_and_the_expected_end_as_well():
    run = make_run(usual_s=100.0, started_at=NOON - 50 * SECOND, pid=1234567)
    band = make_run(usual_s=720.0, usual_low_s=600.0, usual_high_s=960.0, started_at=NOON)
    usage = RunUsage(run_id=1, cpu_percent=100, rss=9_400_000, processes=2)

    assert running_words.progress(run, NOON, Marks(), 10).text == "██░░ 50%  "
    assert running_words.expected_end(run, NOON, UTC, 9).text == "12:00:50"
    assert running_words.expected_end(run, NOON + 60 * SECOND, UTC, 9).text == "over"
    assert running_words.expected_end(band, NOON, UTC, 9).text == "by 12:16"
    assert running_words.process_or_wait(run, usage, NOON, 19).text == "1234567 100% 9.4 MB"

    waits = make_run(status=Status.QUEUED, detail="waits for pool nightly 2/2, 3 ahead")
    assert running_words.expected_end(waits, NOON, UTC, 9).text == "3 ahead"
    assert running_words.process_or_wait(waits, None, NOON, 19).text == "pool nightly 2/2"


@pytest.mark.parametrize(
    ("fields", "usage", "cell"),
    [
        ({"pid": 7}, None, Cell("pid 7", "muted")),
        ({"pid": 31402}, RunUsage(run_id=1, cpu_percent=12.4, rss=9_400_000, processes=2),
         Cell("pid 31402    12%  9.4 MB", "muted")),
        ({"pid": 7}, RunUsage(run_id=1, rss=800, processes=1),
         Cell("pid 7              800 B", "muted")),
        ({"status": Status.RETRYING, "retry_at": NOON + 40 * SECOND}, None,
         Cell("retry in 40s", "warn")),
        ({"status": Status.QUEUED}, None, Cell("a free slot", "warn")),
        ({"status": Status.QUEUED, "detail": "waits for pool db 2/2, 3 ahead"}, None,
         Cell("pool db 2/2, 3 ahead", "warn")),
        ({"status": Status.QUEUED, "detail": "pool \x1b[1mdb, 3 ahead"}, None,
         Cell("pool \\x1b[1mdb, 3 ahead", "warn")),
    ],
)  # fmt: skip
def test_what_a_run_takes_or_waits_for(fields, usage, cell):
    assert running_words.process_or_wait(make_run(**fields), usage, NOON) == cell
