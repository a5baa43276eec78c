"""Values as words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cronpilot.client.fake import NOON, make_run, make_task
from cronpilot.client.messages import LastRun
from cronpilot.domain.run import Reason, Status
from cronpilot.tui import formatting
from cronpilot.tui.formatting import ASCII_MARKS, Marks, needs_ascii

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (12, "in 12s"),
        (11.2, "in 12s"),
        (60, "in 1m 00s"),
        (119, "in 1m 59s"),
        (120, "in 2m"),
        (3599, "in 59m"),
        (3 * 3600 + 5 * 60, "in 3h 05m"),
        (2 * 86400, "in 2d"),
        (0, "now"),
        (-9, "now"),
        (-30, "late 30s"),
        (-7200, "late 2h 00m"),
    ],
)
def test_a_countdown_gets_coarser_with_its_length(seconds, words):
    assert formatting.countdown(timedelta(seconds=seconds)) == words


@given(st.integers(120, 400 * 86400))
def test_above_two_minutes_a_countdown_has_no_seconds(seconds):
    assert not formatting.countdown(timedelta(seconds=seconds)).endswith("s")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "just now"), (59, "just now"), (60, "1m ago"), (7199, "119m ago"), (7200, "2h ago"),
     (2 * 86400, "2d ago")],
)  # fmt: skip
def test_how_long_ago(seconds, words):
    assert formatting.age(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0.04, "0.0s"), (3.21, "3.2s"), (42, "42s"), (64, "1m 04s"), (11100, "3h 05m"),
     (3 * 86400 + 7200, "3d 2h")],
)  # fmt: skip
def test_how_long_it_took(seconds, words):
    assert formatting.duration(seconds) == words


@pytest.mark.parametrize(
    ("at", "words"),
    [
        pytest.param(datetime(2026, 3, 4, 12, 30, tzinfo=UTC), "13:30", id="today"),
        pytest.param(datetime(2026, 3, 4, 12, 30, 15, tzinfo=UTC), "13:30:15", id="with seconds"),
        pytest.param(datetime(2026, 3, 4, 23, 30, tzinfo=UTC), "Thu 00:30", id="tomorrow there"),
        pytest.param(datetime(2026, 3, 11, 8, 0, tzinfo=UTC), "11 Mar", id="a week on"),
        pytest.param(datetime(2026, 3, 3, 8, 0, tzinfo=UTC), "3 Mar", id="yesterday"),
        pytest.param(datetime(2027, 12, 24, 8, 0, tzinfo=UTC), "Dec 2027", id="another year"),
    ],
)
def test_an_instant_on_the_clock_of_berlin(at, words):
    assert formatting.moment(at, NOON, BERLIN) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [(None, ""), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (4210, "4.2 kB"),
     (999_950, "1.0 MB"), (123_400_000, "123 MB"), (5_000_000_000_000, "5000 GB")],
)  # fmt: skip
def test_sizes(count, words):
    assert formatting.size(count) == words


def test_only_every_single_success_makes_a_hundred_percent():
    assert [formatting.percent(rate) for rate in (None, 0.0, 0.9999, 1.0)] == [
        "", "0%", "99%", "100%"]  # fmt: skip


@pytest.mark.parametrize("marks", [Marks(), ASCII_MARKS])
@pytest.mark.parametrize("status", list(Status))
def test_a_state_is_a_mark_and_a_word_never_a_colour_alone(status, marks):
    mark, word = formatting.run_state(status, marks).text.split(" ")
    assert len(mark) == 1
    assert word.isalpha()
    assert len(word) <= 7


def test_every_ascii_mark_is_ascii():
    assert "".join(ASCII_MARKS).isascii()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "· new"),
        ({"running": 1}, "▸ run"),
        ({"running": 3}, "▸ run 3"),
        ({"queued": 1}, "◦ queued"),
        ({"retrying": 1}, "↻ retry"),
        ({"paused_at": NOON}, "‖ paused"),
        ({"active": False}, "○ off"),
        ({"last_run": LastRun(id=1, status=Status.FAILED)}, "✗ fail"),
        ({"last_run": LastRun(id=1, status=Status.MISSED)}, "! missed"),
        ({"last_run": LastRun(id=1, status=Status.SUCCESS), "running": 1}, "▸ run"),
    ],
)
def test_what_a_task_is_doing(fields, text):
    assert formatting.task_state(make_task(**fields), Marks()).text == text


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": Status.SUCCESS, "exit_code": 0}, ""),
        ({"status": Status.FAILED, "exit_code": 2}, "exit 2"),
        ({"status": Status.FAILED, "exit_code": None, "signal": 9}, "SIGKILL"),
        ({"status": Status.FAILED, "exit_code": None, "signal": 250}, "signal 250"),
        ({"status": Status.SKIPPED, "reason": Reason.ALREADY_RUNNING}, "was still running"),
    ],
)
def test_why_a_run_ended_as_it_did(fields, words):
    assert formatting.result(make_run(**fields)) == words


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words(reason):
    run = make_run(status=Status.STOPPED, reason=reason)
    assert formatting.result(run)


def test_a_paused_task_does_not_count_down():
    at, left = formatting.next_run(make_task(paused_at=NOON), NOON, UTC)
    assert (at.text, left.text) == ("Thu 02:30", "paused")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TERM": "xterm-256color", "LANG": "en_GB.UTF-8"}, False),
        ({"TERM": "linux", "LANG": "en_GB.UTF-8"}, True),
        ({"TERM": "vt100", "LANG": "C.UTF-8"}, True),
        ({"TERM": "xterm", "LANG": "C"}, True),
        ({"TERM": "xterm", "LANG": "en_GB.UTF-8", "LC_ALL": "C"}, True),
        ({"TERM": "xterm", "LANG": "C", "LC_CTYPE": "C.utf8"}, False),
    ],
)
def test_which_terminals_get_ascii(environ, expected):
    assert needs_ascii(environ) is expected
