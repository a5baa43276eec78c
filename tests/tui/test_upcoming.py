"""View 3: the starts of the next 24 hours as a list and as a timeline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len

from cronpilot.client.agenda import (
    HourLoad,
    Outlook,
    TaskWithoutStart,
    TimelineBar,
    TimelineRow,
    UpcomingStart,
)
from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.domain.agenda import Scale
from cronpilot.domain.run import Status
from cronpilot.tui import timeline, upcoming_lines
from cronpilot.tui.formatting import ASCII_MARKS, Marks

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def client(clock):
    """An hourly task of 90 minutes, one at 02:30, a paused one, one by hand; one slot in all."""
    return FakeClient(
        [
            make_task(1, "hourly", schedule="hourly :00", next_run_at=NOON + HOUR,
                      average_duration_s=600.0),
            make_task(2, "nightly", timezone="Asia/Tokyo", schedule="daily 22:05",
                      next_run_at=NOON + HOUR + 5 * MINUTE),
            make_task(3, "paused", paused_at=NOON, schedule="daily 14:30",
                      next_run_at=NOON + 2.5 * HOUR),
            make_task(4, "by-hand", next_run_at=None, schedule="manual"),
        ],
        [make_run(9, task_id=2, task_name="nightly", status=Status.FAILED, pid=None,
                  started_at=NOON - 2 * HOUR, finished_at=NOON - HOUR)],
        clock=clock, max_workers=1,
    )  # fmt: skip


async def test_view_3_lists_what_starts_and_whom_it_meets(show, client):
    async with show(client) as screen:
        await screen.press("3")
        await screen.until(lambda: "by-hand" in screen.text)
        lines = [line.split("  ") for line in screen.text.splitlines()]
        words = [[word.strip() for word in line if word.strip()] for line in lines]

        assert ["13:00", "1h 00m", "hourly", "10m 00s"] in words
        assert ["13:05", "1h 05m", "nightly", "! waits: 2 at once, 1 slots",
                "22:05 Asia/Tokyo"] in words  # fmt: skip
        assert ["14:30", "2h 30m", "paused", "‖ paused"] in words
        assert ["○ 1 task starts nothing in these hours: by-hand (by hand)"] in words


async def test_a_strip_above_shows_how_many_start_each_hour(show, client):
    async with show(client) as screen:
        await screen.press("3")
        await screen.until(lambda: "starts an hour" in screen.text)
        figures = next(line for line in screen.text.splitlines() if "starts an hour" in line)

        assert figures.split()[:5] == ["-", "2", "1", "1", "1"]


async def test_reading_again_reads_no_farther_than_before(show, clock):
    tick = make_task(1, "tick", schedule="every 1m", next_run_at=NOON + MINUTE)
    async with show(FakeClient([tick], clock=clock)) as screen:
        view = screen.dashboard.upcoming
        await screen.press("3")
        await screen.until(lambda: len(view.rows) == 200)
        before = view.rows
        view.read_again()
        await screen.until(lambda: view.rows is not before)
        assert len(view.rows) == 200


async def test_what_has_started_leaves_the_list(show, client):
    async with show(client) as screen:
        await screen.press("3")
        await screen.until(lambda: "13:00" in screen.text)
        await screen.pass_time(minutes=62)
        await screen.until(lambda: "\n 13:00 " not in screen.text)
        assert "\n 13:05 " in screen.text


async def test_a_pause_is_seen_and_acted_on_in_the_list(show, client):
    async with show(client) as screen:
        await screen.press("3")
        await screen.until(lambda: "hourly" in screen.text)
        await screen.press("p")
        await screen.until(lambda: client.calls == [("pause_task", 1)])
        await screen.pass_time(seconds=6)
        await screen.until(lambda: screen.text.count("‖ paused") > 20)


async def test_more_starts_are_read_while_one_scrolls(show, clock):
    often = make_task(1, "often", schedule="every 2m", next_run_at=NOON + MINUTE)
    async with show(FakeClient([often], clock=clock)) as screen:
        await screen.press("3")
        await screen.until(lambda: "200 and more in all" in screen.text)
        while "720 in all" not in screen.text:
            await screen.press("G")
            await screen.pilot.pause(0.05)
        assert screen.dashboard.upcoming.table.rows[-1].start.starts_at == NOON + DAY - MINUTE


async def test_a_filter_leaves_the_starts_of_some_tasks(show, client):
    async with show(client) as screen:
        await screen.press("3", "slash", *"night", "enter")
        await screen.until(lambda: "1 found" in screen.text)
        assert "nightly" in screen.text
        assert "10m 00s" not in screen.text


async def test_enter_opens_the_history_of_the_task(show, client):
    async with show(client) as screen:
        await screen.press("3")
        await screen.until(lambda: "nightly" in screen.text)
        await screen.press("j", "enter")
        await screen.until(lambda: "filter nightly" in screen.text)
        assert screen.dashboard.current is screen.dashboard.history


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_the_timeline_says_how_to_get_back_to_the_list(show, client, size):
    async with show(client, size=size) as screen:
        await screen.press("3")
        await screen.until(lambda: "t timeline" in screen.text)
        await screen.press("t")
        await screen.until(lambda: "t list" in screen.text)
        await screen.press("t")
        await screen.until(lambda: "t timeline" in screen.text)


async def test_t_shows_the_timeline_which_moves_and_zooms(show, client):
    async with show(client) as screen:
        await screen.press("3", "t")
        await screen.until(lambda: "✗▒▒▒" in screen.text)
        assert "12 h around now" in screen.text
        await screen.press("right", "right")
        await screen.until(lambda: "12 h, 6 h later" in screen.text)
        await screen.until(lambda: "✗" not in screen.text.replace("✗▒ failed", ""))
        await screen.press("minus", "0")
        await screen.until(lambda: "24 h around now" in screen.text)
        await screen.press("plus", "plus", "plus")
        await screen.until(lambda: "4 h around now" in screen.text)
        await screen.press("t")
        await screen.until(lambda: "STARTS" in screen.text)


@pytest.mark.parametrize("size", [(80, 24), (40, 10), (20, 3), (200, 60)])
async def test_both_fit_any_screen(show, client, size):
    async with show(client, size=size) as screen:
        for key in ("3", "t", "t"):
            await screen.press(key)
            await screen.pilot.pause()
            lines = screen.text.splitlines()
            assert len(lines) == size[1]
            assert max(map(cell_len, lines)) <= size[0]


# --- the list, without a screen ------------------------------------------------------------------


def start(at, task_id=1, **fields):
    return UpcomingStart(task_id=task_id, task_name="x", scheduled_for=at, starts_at=at,
                         **{"timezone": "Europe/Berlin", **fields})  # fmt: skip


def test_a_change_of_the_clock_is_a_line_between_the_starts():
    before = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    lines = upcoming_lines.upcoming_lines(
        [start(before), start(before + HOUR)], None, BERLIN, before, before + DAY, ASCII_MARKS
    )

    assert [line.start is None for line in lines] == [False, True, False]
    assert lines[1].note.text.rstrip("-").strip() == (
        "-- clocks go forward 1 h: 02:00 becomes 03:00 in Europe/Berlin")  # fmt: skip
    assert len({line.id for line in lines}) == 3


def test_tasks_that_start_nothing_are_named():
    outlook = Outlook(at=NOON, hours=[], tasks_without_start=9, without_start=[
        TaskWithoutStart(task_id=1, task_name="weekly\x1b", next_run_at=NOON + 3 * DAY),
        TaskWithoutStart(task_id=2, task_name="old", active=False),
        TaskWithoutStart(task_id=3, task_name="hand"),
    ])  # fmt: skip
    (line,) = upcoming_lines.upcoming_lines([], outlook, UTC, NOON, NOON + DAY, Marks())

    assert line.note.text == (
        "○ 9 tasks start nothing in these hours:"
        " weekly\\x1b (Sat 12:00), old (off), hand (by hand), ...")  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"together": 1}, ""),
        ({"together": 3}, "3 at once"),
        ({"waits": "slots", "together": 12}, "! waits: 12 at once, 10 slots"),
        ({"waits": "pool", "pool": "[db]"}, "! waits: pool [db] is full"),
        ({"waits": "itself"}, "! its last run usually still goes"),
        ({"paused": True, "together": 0}, "‖ paused"),
    ],
)
def test_whom_a_start_meets(fields, words):
    assert upcoming_lines.meets(start(NOON, **fields), 10, Marks()).text == words


def test_the_bars_of_the_strip_are_as_high_as_there_are_starts():
    hours = [HourLoad(at=NOON + n * HOUR, starts=count)
             for n, count in enumerate([0, 1, 500, 24_000])]  # fmt: skip
    bars, figures, names = upcoming_lines.strip_lines(
        Outlook(at=NOON, hours=hours), 18, UTC, Marks()
    )

    assert bars.text.rstrip() == "     ▁▁▁ ▁▁▁ ███"
    assert figures.text.split() == ["-", "1", "500", "24k"]
    assert names.text.split() == ["12", "13", "14", "15"]


def test_a_figure_too_wide_for_its_hour_takes_the_room_of_the_next():
    hours = [HourLoad(at=NOON + n * HOUR, starts=count) for n, count in enumerate([7, 1, 500, 9])]
    _, figures, names = upcoming_lines.strip_lines(Outlook(at=NOON, hours=hours), 14, UTC, Marks())

    assert figures.text == " 7     500   "
    assert names.text == " 12 13 14 15 "


# --- the picture, without a screen ---------------------------------------------------------------

SCALE = Scale(NOON - 2 * HOUR, NOON + 2 * HOUR, 24)  # ten minutes a cell


def bar(cell, length, status, run_id=1):
    at = SCALE.since + cell * 10 * MINUTE
    until = None if length is None else at + (length * 10 - 1) * MINUTE
    return TimelineBar(run_id=run_id, at=at, until=until, status=status)


@pytest.mark.parametrize(
    ("fields", "drawn"),
    [
        ({}, "            │           "),
        ({"bars": [bar(1, 3, Status.SUCCESS), bar(5, 2, Status.FAILED)]},
         " ███ ✗▒     │           "),
        ({"bars": [bar(9, None, Status.RUNNING)]}, "         ▸░░░           "),
        ({"bars": [bar(2, 1, Status.SKIPPED), bar(4, 4, Status.MISSED)]},
         "  ○ !···    │           "),
        ({"starts": [NOON + 30 * MINUTE]}, "            │  □        "),
        ({"starts": [NOON + 30 * MINUTE], "usual_s": 3600.0}, "            │  ├─────┤  "),
        ({"starts": [NOON + n * 10 * MINUTE for n in (1, 3, 5, 6)]}, "            │░░░░░░     "),
        ({"starts": [NOON + n * 10 * MINUTE for n in (1, 4, 7, 11)]},
         "            │□  □  □   □"),
        ({"starts": [NOON + 30 * MINUTE], "paused": True}, "            │  ‖        "),
    ],
)  # fmt: skip
def test_a_row_of_the_timeline(fields, drawn):
    row = TimelineRow(id=1, name="x", **fields)

    assert timeline.draw(row, SCALE, NOON, Marks()).text == drawn


def test_in_ascii_verdicts_differ_too():
    row = TimelineRow(id=1, name="x", bars=[bar(0, 2, Status.SUCCESS), bar(3, 2, Status.TIMEOUT)],
                      starts=[NOON + HOUR])  # fmt: skip
    assert timeline.draw(row, SCALE, NOON, ASCII_MARKS).text == "## x%       |     _     "


@pytest.mark.parametrize("marks", [Marks(), ASCII_MARKS])
def test_signs_of_the_timeline_differ_without_colours_too(marks):
    signs = [cell.text for cell in timeline.legend(marks)[1::2]]
    assert len(signs) == 8
    assert len({sign[0] for sign in signs}) == len(signs)


def test_the_axis_names_hours_and_at_midnight_the_day():
    scale = Scale(NOON + 11 * HOUR, NOON + 15 * HOUR, 40)
    assert timeline.axis(scale, UTC).text == "23:00     Thu 5     01:00     02:00     "


def test_while_time_passes_the_picture_stands_still_until_a_whole_cell_is_over():
    window = timeline.Window()

    at_once = window.scale(NOON, 100)
    a_minute_on = window.scale(NOON + MINUTE, 100)
    a_cell_on = window.scale(NOON + at_once.step, 100)

    assert a_minute_on == at_once
    assert a_cell_on.since - at_once.since == at_once.step
