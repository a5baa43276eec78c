"""incidents, ack, snooze, notify."""

from __future__ import annotations

import pytest

from cronpilot.client.fake import NOON
from cronpilot.client.fake_incidents import make_incident

from .conftest import HOSTILE, Cronpilot, Running


@pytest.fixture
def troubled(engine: Running) -> Running:
    """Incident 1 is over, 2 is open and of a task whose name means harm."""
    engine.do(lambda: engine.fake.put_incident(make_incident(1, closed_at=NOON)))
    bad = make_incident(2, task_id=3, task_name=HOSTILE, count=3, detail="\x1b[2Jfailed")
    engine.do(lambda: engine.fake.put_incident(bad))
    return engine


def test_what_is_wrong_is_a_table(troubled: Running, cronpilot: Cronpilot):
    said = cronpilot("incidents").out

    assert "ID  TASK" in said
    assert "\\x1b[2Jfailed" in said
    assert "\x1b" not in said
    assert [row["id"] for row in cronpilot("incidents", "--all", "--json").json] == [2, 1]


def test_when_nothing_is_wrong_it_says_so(engine: Running, cronpilot: Cronpilot):
    assert cronpilot("incidents").out == "No incident is open.\n"


def test_one_of_them_whole(troubled: Running, cronpilot: Cronpilot):
    said = cronpilot("incidents", "1").out

    assert said.startswith("Incident 1 of backup-db: failure, over ")
    assert "opened (run 1): failed with exit code 2" in said
    assert cronpilot("incidents", "7").code == 2


def test_acknowledging_several_with_a_note(troubled: Running, cronpilot: Cronpilot):
    troubled.do(lambda: troubled.fake.put_incident(make_incident(3)))

    assert "Incident 3 of backup-db is acknowledged." in cronpilot("ack", "2", "3").out
    assert cronpilot("ack", "1").code == 4
    assert ("acknowledged", 3, "") in troubled.fake.calls


def test_snoozing_takes_a_time_as_pausing_does(troubled: Running, cronpilot: Cronpilot):
    assert "is silent until" in cronpilot("snooze", "2", "--until", "2h").out
    assert "is told again" in cronpilot("snooze", "2", "--off").out
    assert cronpilot("snooze", "2").code == 2
    assert "Write 2h" in cronpilot("snooze", "2", "--until", "soon").err


def test_a_test_message_fails_when_one_of_them_was_not_taken(engine: Running, cronpilot: Cronpilot):
    engine.fake.recipients = ["mail:ops@example.org", "channel:refused"]

    both, one = cronpilot("notify", "test"), cronpilot("notify", "test", "--to", "me@example.org")

    assert both.code == 1
    assert both.out.splitlines() == [
        "Sent: e-mail to ops@example.org, taken after 0.5 s.",
        "Not sent: channel refused. It is refused.",
    ]
    assert (one.code, one.out) == (0, "Sent: e-mail to me@example.org, taken after 0.5 s.\n")
