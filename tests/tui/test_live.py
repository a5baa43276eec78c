"""The running view measures while somebody looks; what passed unseen is looked over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.live import Downtime
from cronpilot.client.messages import Banner
from cronpilot.domain.run import Reason, Status, Trigger

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def client(clock):
    """A run that goes, one that waits, and two hours without an engine before them."""
    waits = make_run(6, task_id=2, task_name="report", status=Status.QUEUED, started_at=None,
                     pid=None, detail="waits for pool db 2/2, 3 ahead", ahead=3)  # fmt: skip
    fake = FakeClient(
        [make_task(1), make_task(2, "report")],
        [make_run(5, usual_s=600.0), waits],
        clock=clock,
        banners=[Banner(key="downtime", text="The engine was down 2 h: 14 slots missed, 1 made up"
                        " for.", hint="m lists them on the screen.", severity="information")],
    )  # fmt: skip
    slots = make_run(3, task_id=2, task_name="[/] report", status=Status.MISSED, reason=Reason.DOWN,
                     scheduled_for=NOON - HOUR, folded_until=NOON - 5 * MINUTE, folded_count=14,
                     started_at=None, pid=None, attempts=0)  # fmt: skip
    late = make_run(5, trigger=Trigger.CATCH_UP, scheduled_for=NOON - MINUTE)
    fake.missed = Downtime(since=NOON - 2 * HOUR, until=NOON, missed_slots=14, made_up=1,
                           missed=[slots], runs=[late])  # fmt: skip
    return fake


async def test_view_2_shows_cpu_memory_progress_and_the_place_in_line(show, client):
    async with show(client) as screen:
        await screen.press("2")
        await screen.pass_time(minutes=3)
        await screen.until(lambda: "5.0 MB" in screen.text)
        text = screen.text
        assert "pid 4242      5%  5.0 MB" in text
        assert "███░░░░░░░ 30%" in text
        assert " pool db 2/2, 3 ahead" in text


async def test_nothing_is_measured_while_nobody_looks(show, client, monkeypatch):
    asked = []

    async def usage():
        asked.append(1)
        return []

    monkeypatch.setattr(client, "usage", usage)
    async with show(client) as screen:
        await screen.pass_time(seconds=9)
        assert asked == []
        await screen.press("2")
        await screen.until(lambda: len(asked) == 1)
        await screen.pass_time(seconds=1)
        assert len(asked) == 1
        await screen.pass_time(seconds=1)
        await screen.until(lambda: len(asked) == 2)


async def test_a_banner_opens_what_passed_without_an_engine(show, client):
    async with show(client) as screen:
        await screen.until(lambda: "The engine was down 2 h" in screen.text)
        await screen.press("m")
        await screen.until(lambda: "MISSED FOR GOOD" in screen.text)
        text = screen.text
        for words in ("No engine for 2h 00m", "10:00:00 to 12:00:00", "14 slots missed",
                      "1 made up for", "[/] report", "14 slots missed 11:00-11:55",
                      "slot of 11:59:00"):  # fmt: skip
            assert words in text, words


async def test_what_was_missed_is_run_now_and_what_runs_is_stopped(show, client):
    async with show(client) as screen:
        await screen.press("m")
        await screen.until(lambda: "MISSED FOR GOOD" in screen.text)
        await screen.until(lambda: "x stop" in screen.text)
        await screen.press("x")
        await screen.until(lambda: "Stop run 5 of backup-db?" in screen.text)
        await screen.press("t")
        await screen.until(lambda: ("stop_run", 5, "TERM") in client.calls)
        await screen.until(lambda: "○ stopped" in screen.text)
        await screen.until(lambda: "x stop" not in screen.text)  # it is over
        await screen.press("G")
        await screen.pilot.pause()
        assert "x stop" not in screen.text and "r run now" in screen.text
        await screen.press("r")
        await screen.until(lambda: ("run_now", 2) in client.calls)
        await screen.until(lambda: "Run 7 has begun." in screen.text)


async def test_d_dismisses_it_for_everybody(show, client):
    async with show(client) as screen:
        await screen.press("m")
        await screen.until(lambda: "MISSED FOR GOOD" in screen.text)
        await screen.press("d")
        await screen.until(lambda: "1 Tasks" in screen.text)
        assert client.calls == [("dismiss_downtime",)]
        client.set_banners()
        await screen.until(lambda: "The engine was down" not in screen.text)
        await screen.press("m")
        assert "MISSED" not in screen.text


@pytest.mark.parametrize("size", [(80, 24), (20, 5)])
async def test_the_page_fits_any_screen(show, client, size):
    async with show(client, size=size) as screen:
        await screen.press("m")
        await screen.until(lambda: len(screen.app.screen_stack) == 2)
        await screen.press("escape")
        await screen.until(lambda: len(screen.app.screen_stack) == 1)
