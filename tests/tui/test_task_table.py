"""The table of tasks: who gets how much of its width."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from cronpilot.client.fake import FakeClient, make_task
from cronpilot.domain.run import Status
from cronpilot.tui.formatting import ASCII_MARKS, Marks
from cronpilot.tui.options import ScreenOptions
from cronpilot.tui.task_widths import Widest, widest

VERDICTS = [Status.FAILED, *[Status.SUCCESS] * 18, Status.MISSED]
USUAL = {
    "heartbeat": ("every minute", "* * * * *"),
    "probe-state-directory": ("every 90 seconds", "every 90s"),
    "backup-db": ("every day at 02:30", "daily 02:30"),
    "mail-queue": ("every 10 minutes, between 07:00 and 22:59", "*/10 7-22 * * *"),
    "year-2038": ("once 2038-01-19 03:15", "once 2038-01-19 03:15"),
}
BRIEF = {"mail-queue": "every 10m 07-22", "year-2038": "2038-01-19 03:15"}


def tasks(plans):
    return [
        make_task(number, name, schedule_words=words, schedule=schedule,
                  schedule_brief=BRIEF.get(name, ""), last_verdicts=VERDICTS)
        for number, (name, (words, schedule)) in enumerate(plans.items(), 1)
    ]  # fmt: skip


def table(screen):
    return next(iter(screen.app.screen.query("#task-table")))


@pytest.mark.parametrize("marks", [Marks(), ASCII_MARKS], ids=["signs", "ASCII"])
async def test_120_columns_show_usual_names_and_all_20_verdicts(show, marks):
    options = ScreenOptions(ascii=marks is ASCII_MARKS)
    async with show(FakeClient(tasks(USUAL)), options=options) as screen:
        bar = marks.late + marks.ok * 18 + marks.bad
        lines = [line for line in screen.text.splitlines() if bar in line]

        assert len(lines) == len(USUAL)
        for name, line in zip(USUAL, lines, strict=True):
            assert f" {name} " in line
        for words in ("every 90 seconds", "every day at 02:30", *BRIEF.values()):
            assert words in screen.text
        assert all(marks.cut not in line for line in lines)


async def test_verdicts_are_cut_off_before_names_are(show):
    name = "copy-all-the-pictures-to-berlin"[:30]
    async with show(FakeClient(tasks({**USUAL, name: USUAL["backup-db"]}))) as screen:
        assert name in screen.text
        assert "!✓✓✓✓✓✓✓✓✓✓" in screen.text
        assert "!" + "✓" * 18 + "✗" not in screen.text


async def test_columns_stand_still_while_one_goes_through_the_list(show):
    """They grow for a longer name, and shrink when the list is another one."""
    long = "n" * 28
    async with show(FakeClient(tasks(USUAL))) as screen:
        of = table(screen)
        short = of._placed

        of.put_rows(0, tasks({long: USUAL["heartbeat"]}), 9)
        grown = of._placed
        of.put_rows(1, tasks(USUAL), 9)

        assert grown != short
        assert of._placed == grown
        of.put_rows(0, [], 0)
        of.put_rows(0, tasks(USUAL), 9)
        assert of._placed == short


async def test_a_new_name_makes_its_column_as_wide_as_it_needs(show):
    async with show(FakeClient(tasks(USUAL))) as screen:
        row = table(screen).rows[0]
        table(screen).put_row(row.model_copy(update={"name": "named-anew-and-much-longer"}))
        await screen.until(lambda: "named-anew-and-much-longer" in screen.text)


def test_what_is_measured_is_what_is_shown():
    rows = tasks({"毎晩": ("w" * 9, "s" * 4), "\x1b[1m": ("", "")})
    before = Widest(schedule=2, brief=5)
    assert widest(rows, before, UTC) == Widest(name=7, schedule=9, brief=5)
    assert widest(rows, before, ZoneInfo("Asia/Tokyo")) == Widest(name=7, schedule=13, brief=8)
