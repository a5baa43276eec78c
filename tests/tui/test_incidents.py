"""Incidents on the screen: a line in the health, a page, and what keys do to one."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.fake_incidents import make_incident
from cronpilot.client.messages import TellingState
from cronpilot.domain.incident import Fault
from cronpilot.domain.run import Status
from cronpilot.tui import running_words
from cronpilot.tui.formatting import ASCII_MARKS
from cronpilot.tui.health_lines import health_lines
from cronpilot.tui.incident_lines import telling_words
from cronpilot.tui.screens.incident_page import IncidentPage
from cronpilot.tui.screens.run_page import RunPage
from tests.tui.test_health import ROOM

HOUR = timedelta(hours=1)


@pytest.fixture
def client(clock):
    """backup-db fails since ten, report takes too long."""
    made = FakeClient(
        [make_task(1, "backup-db"), make_task(2, "report")],
        [make_run(1, status=Status.FAILED, exit_code=2, finished_at=NOON - HOUR, pid=None)],
        {1: b"no space\n"}, clock,
    )  # fmt: skip
    long = {"fault": Fault.LONG, "detail": "It has been running for 1h; more is not usual."}
    made.put_incident(make_incident(2, task_id=2, task_name="report", since=NOON - HOUR, **long))
    made.put_incident(make_incident(3, count=12))
    return made


def said(*incidents, **fields):
    from cronpilot.client.messages import Health

    health = Health(at=NOON, **ROOM, incidents=list(incidents), **fields)
    lines = health_lines(health, NOON, UTC, ASCII_MARKS)
    return [(line.state.text, line.subject.text, line.words.text) for line in lines]


def test_an_incident_is_a_line_of_the_health_and_says_who_looks_after_it():
    quiet = make_incident(4, fault=Fault.SKIPPED, acknowledged_at=NOON, acknowledged_by="tui:1000",
                          detail="3 slots in a row passed without a run")  # fmt: skip
    assert said(make_incident(3, count=12), quiet)[:2] == [
        ("! fails", "backup-db", "since 10:00:00, 12 in a row; failed with exit code 2"),
        ("! skipped", "backup-db", "acknowledged by tui:1000; since 10:00:00;"
                                   " 3 slots in a row passed without a run"),
    ]  # fmt: skip


@pytest.mark.parametrize(("state", "words"), [
    (TellingState(), []),
    (TellingState(sent_at=NOON - HOUR), ["last sent 60m ago"]),
    (TellingState(waiting=2, oldest_at=NOON - HOUR, error="mail:25 cannot be reached.", gave_up=1),
     ["2 messages wait, the oldest 60m ago: mail:25 cannot be reached.",
      "1 message given up in 7 days"]),
    (TellingState(dropped=7), ["7 messages not kept: too many waited"]),
])  # fmt: skip
def test_how_sending_goes(state, words):
    assert [text for text, _ in telling_words(state, NOON)] == words


async def opened(screen):
    await screen.press("5")
    await screen.until(lambda: "12 in a row" in screen.text)
    await screen.press("enter")
    await screen.until(lambda: isinstance(screen.app.screen, IncidentPage))
    await screen.until(lambda: "What happened" in screen.text)


async def test_enter_opens_it_with_its_timeline_and_then_its_run(show, client):
    async with show(client) as screen:
        await opened(screen)
        for words in ("incident 3", "10:00:00", "12 in a row", "opened", "told", "ops@example.org",
                      "nobody has said that they look after it"):  # fmt: skip
            assert words in screen.text
        await screen.press("enter")
        await screen.until(lambda: isinstance(screen.app.screen, RunPage))
        assert screen.app.screen.run_shown.id == 1
        await screen.press("escape", "escape")
        assert screen.app.screen is screen.dashboard


async def test_a_acknowledges_it(show, client):
    async with show(client) as screen:
        await opened(screen)
        await screen.press("a")
        await screen.until(lambda: "acknowledged by cli:1000" in screen.text)
        await screen.press("escape")
        await screen.until(lambda: "acknowledged by cli:1000; since" in screen.text)


async def test_z_asks_how_long_it_shall_be_silent(show, client):
    async with show(client) as screen:
        await opened(screen)
        await screen.press("z")
        await screen.until(lambda: "Snooze incident 3 of backup-db?" in screen.text)
        await screen.press("4")
        await screen.until(lambda: "snoozed until 16:00:00" in screen.text)
        await screen.press("z", "t")
        await screen.until(lambda: ("snoozed", 3, "no longer") in client.calls)


async def test_of_what_is_over_no_such_keys_are_offered(show, client):
    async with show(client) as screen:
        await opened(screen)
        assert "a acknowledge" in screen.text
        client.put_incident(make_incident(3, closed_at=NOON))
        screen.app.screen._read()
        await screen.until(lambda: "over since 12:00:00" in screen.text)
        await screen.until(lambda: "a acknowledge" not in screen.text)


@pytest.mark.parametrize(("minutes", "tone", "ends"), [
    pytest.param(5, "busy", "12:05-12:11", id="the band in which it usually ends"),
    pytest.param(18, "busy", "over 12m", id="later than that"),
    pytest.param(21, "bad", "over 12m", id="an alarm"),
])  # fmt: skip
def test_a_run_beside_its_usual_band(minutes, tone, ends):
    began = NOON - timedelta(minutes=minutes)
    run = make_run(usual_s=720.0, usual_low_s=600.0, usual_high_s=960.0, alarm_s=1200.0,
                   started_at=began)  # fmt: skip

    assert running_words.progress(run, NOON, ASCII_MARKS)[0].tone == tone
    assert running_words.expected_end(run, NOON, UTC).text.removesuffix(" 00s") == ends


def test_an_alarm_that_a_task_sets_itself_needs_no_history():
    run = make_run(usual_s=None, alarm_s=60.0, started_at=NOON - HOUR)

    assert running_words.progress(run, NOON, ASCII_MARKS).text == "over 1m 00s"
