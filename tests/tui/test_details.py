"""The panel below the table: log, next runs, recent runs, definition."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.domain.run import Status
from cronpilot.tui.detail_lines import definition_lines


@pytest.fixture
def client(clock):
    """backup-db has run twice; report has not."""
    runs = [
        make_run(number, status=status, exit_code=code, pid=None, duration_s=4.0,
                 started_at=NOON - timedelta(hours=number), finished_at=NOON)
        for number, status, code in ((1, Status.SUCCESS, 0), (2, Status.FAILED, 3))
    ]  # fmt: skip
    tasks = [
        make_task(1, command="pg_dump\ngzip", env={"API_TOKEN": "secret", "DEST": "/srv"},
                  timeout="1h", tags=["db"], version=4),
        make_task(2, "[/]report", next_run_at=None, paused_at=NOON),
    ]  # fmt: skip
    fake = FakeClient(tasks, [], {2: b"dumped\n"}, clock)
    for run in runs:
        fake.put_run(run)
    return fake


async def test_brackets_change_what_the_panel_says_of_the_task(show, client):
    async with show(client) as screen:
        await screen.until(lambda: "dumped" in screen.text)
        assert "[Log]  Next runs  Recent runs  Definition" in screen.dashboard.panel.head.text
        await screen.press("right_square_bracket")
        await screen.until(lambda: "Thu 2026-03-05 02:30:00 UTC  in 14h 30m" in screen.text)
        await screen.press("right_square_bracket")
        await screen.until(lambda: "✗ fail" in screen.text and "exit 3" in screen.text)
        await screen.press("right_square_bracket")
        await screen.until(lambda: "pg_dump" in screen.text)
        for words in (
            "gzip",
            "daily 02:30  (every day at 02:30)",
            "(the scheduler's)",
            "timeout         1h",
            "API_TOKEN=***  DEST=/srv",
            "4, from tasks.yaml",
        ):
            assert words in screen.text
        assert "secret" not in screen.text
        await screen.press("j")
        await screen.until(lambda: "[/]report" in screen.dashboard.panel.head.text)
        await screen.press("left_square_bracket", "left_square_bracket")
        await screen.until(lambda: "Nothing is planned" in screen.text)
        await screen.press("left_square_bracket")
        await screen.until(lambda: "has not run yet" in screen.text)


async def test_recent_runs_begin_with_the_record_that_80_columns_have_no_room_for(show, clock):
    good, bad = Status.SUCCESS, Status.FAILED
    task = make_task(1, runs=20, successes=15, success_rate=0.75, average_duration_s=40.0,
                     last_verdicts=[good, bad, good])  # fmt: skip
    client = FakeClient([task], [make_run(7, status=good, pid=None)], {}, clock)
    async with show(client, size=(80, 24)) as screen:
        assert "LAST 20" not in screen.text
        await screen.press("left_square_bracket", "left_square_bracket")
        await screen.until(lambda: "last ✓✗✓  ok 75% of 20  usual 40s" in screen.text)


async def test_what_changes_is_seen_in_the_panel(show, client):
    async with show(client) as screen:
        await screen.press("left_square_bracket", "left_square_bracket")
        await screen.until(lambda: "#2" in screen.text)
        client.put_run(make_run(3))
        await screen.until(lambda: "#3" in screen.text)


async def test_tab_goes_into_the_panel_and_l_into_the_log(show, client):
    async with show(client, size=(80, 24)) as screen:
        await screen.until(lambda: "dumped" in screen.text)
        await screen.press("right_square_bracket", "tab")
        assert screen.dashboard.panel.details.has_focus
        assert "Next runs 2/4" in screen.dashboard.panel.head.text
        await screen.press("plus")
        await screen.until(lambda: screen.dashboard.shown_size() == "whole")
        await screen.press("escape", "l")
        await screen.until(lambda: screen.dashboard.panel.output.has_focus)
        assert "Log 1/4" in screen.dashboard.panel.head.text
        assert "dumped" in screen.text


def test_of_limits_only_those_that_are_set_are_told():
    task = make_task(limits={"nice": None, "memory": "1GB", "cpu": None})
    said = ["".join(cell.text for cell in line).split() for line in definition_lines(task, NOON)]
    assert ["limits", "memory=1GB"] in said
