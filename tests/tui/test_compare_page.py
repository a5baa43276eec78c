"""Two runs side by side."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.messages import LastRun
from cronpilot.domain.run import Status
from cronpilot.tui.screens.compare_page import ComparePage


def ended(number, status, **fields):
    at = NOON - timedelta(hours=9 - number)
    code = 0 if status is Status.SUCCESS else 2
    return make_run(number, status=status, exit_code=code, started_at=at, finished_at=at, pid=None,
                    queued_at=at, scheduled_for=at, duration_s=number * 1.0, **fields)  # fmt: skip


@pytest.fixture
def client(clock):
    """backup-db ended well twice, failed at 03:00, and was skipped since."""
    last = LastRun(id=3, status=Status.FAILED, exit_code=2, started_at=NOON)
    runs = [
        ended(1, Status.SUCCESS, environment={"WHO": "old"}),
        ended(2, Status.SUCCESS, environment={"WHO": "me", "TOKEN": "***"}),
        ended(3, Status.FAILED, environment={"WHO": "\x1b[2Jcron", "TOKEN": "***"}),
    ]
    logs = {
        1: b"05:00:00 begin\nfine\n",
        2: b"04:00:00 begin\n" + b"table\n" * 20 + b"all well\n",
        3: b"03:00:00 begin\n" + b"table\n" * 20 + b"[/]no \x1b]0;x\x07space left\n",
    }
    return FakeClient([make_task(1, last_run=last)], runs, logs, clock)


async def compared(screen):
    await screen.until(lambda: isinstance(screen.app.screen, ComparePage))
    await screen.until(lambda: screen.app.screen.found is not None)
    return screen.app.screen


async def test_capital_c_shows_how_a_failure_differs_from_the_last_success(show, client):
    async with show(client) as screen:
        await screen.press("C")
        await compared(screen)
        await screen.until(lambda: "+[/]no space left" in screen.text)
        assert "Run 3 of backup-db beside run 2, the last success." in screen.text
        words = " ".join(screen.text.split())
        for part in ("run 2 run 3", "verdict success, exit 0 failed, exit 2", "took 2.0s 3.0s",
                     "Both ran the same definition", "WHO: - me", r"+ \x1b[2Jcron",
                     "1 line only of run 2 (-), 1 only of run 3 (+)", "... 18 equal lines ...",
                     "-all well"):  # fmt: skip
            assert part in words
        await screen.press("escape")
        assert screen.app.screen is screen.dashboard


async def test_times_count_on_demand_and_any_run_can_be_the_other_one(show, client):
    async with show(client, size=(80, 24)) as screen:
        await screen.press("4")
        await screen.until(lambda: screen.dashboard.history.is_read)
        await screen.press("C")
        page = await compared(screen)
        await screen.press("t")
        await screen.until(lambda: page.found.output.removed == 2)
        assert "times count" in screen.text
        await screen.press("left_square_bracket")
        await screen.until(lambda: page.found.against.id == 1)
        await screen.press("left_square_bracket")
        await screen.until(lambda: "There is no earlier run" in screen.text)
        await screen.press("right_square_bracket")
        await screen.until(lambda: page.found.against.id == 2)
        await screen.press("G")
        await screen.until(lambda: "+[/]no space left" in screen.text)


async def test_where_nothing_ended_well_it_says_so(show, clock):
    failed = FakeClient([make_task(1)], [ended(3, Status.FAILED)], {}, clock)
    async with show(failed) as screen:
        await screen.press("4")
        await screen.until(lambda: screen.dashboard.history.is_read)
        await screen.press("enter", "C")
        await screen.until(lambda: "No other run of 'backup-db' ended well" in screen.text)
