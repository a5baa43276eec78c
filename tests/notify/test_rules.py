"""Who hears of what."""

from __future__ import annotations

import pytest

from cronpilot.domain.incident import Fault, Word
from cronpilot.domain.notify import Notify, NotifyRules, Ping
from cronpilot.notify.rules import Defaults, alike, is_told, ping_url, slug, targets

ALL = set(Word)
INCIDENT = {Word.OPENED, Word.REMINDED, Word.RECOVERED}
DEFAULTS = Defaults(to=["ops@example.org"], channels=["chat"])


@pytest.mark.parametrize(("on", "of_failures", "of_alarms"), [
    (Notify.FAILURE, INCIDENT, INCIDENT), (Notify.ALWAYS, ALL, INCIDENT),
    (Notify.NEVER, set(), set()),
    (Notify.SUCCESS, {Word.SUCCEEDED, Word.RECOVERED}, set()),
])  # fmt: skip
def test_what_is_told(on, of_failures, of_alarms):
    assert {word for word in Word if is_told(on, word, Fault.FAILURE)} == of_failures
    assert {word for word in Word if is_told(on, word, Fault.LONG)} == of_alarms


@pytest.mark.parametrize(("rules", "expected"), [
    ({}, ["mail:ops@example.org", "channel:chat"]),
    ({"to": ["me@x"]}, ["mail:me@x", "channel:chat"]),
    ({"to": [], "channels": []}, []),
    ({"to": ["a@x", "b@x"], "channels": []}, ["mail:a@x", "mail:b@x"]),
])  # fmt: skip
def test_a_task_says_for_itself_or_config_yaml_for_it(rules, expected):
    assert targets(NotifyRules.model_validate(rules), DEFAULTS) == expected


def test_nobody_is_told_where_nobody_is_named():
    assert targets(NotifyRules(), Defaults()) == []


def test_a_ping_of_all_tasks_has_the_name_of_each():
    everywhere = Defaults(ping=Ping.model_validate("https://hc.example/key/{task}"))

    assert ping_url(NotifyRules(), everywhere, "fail", "Backup DB (nightly)") == (
        "https://hc.example/key/backup-db-nightly/fail"
    )
    assert ping_url(NotifyRules(), Defaults(), "fail", "a") is None


@pytest.mark.parametrize(("name", "expected"), [
    ("Backup DB", "backup-db"), ("../../x?y#z", "x-y-z"), ("Größe", "groe"),
    ("日本", "%E6%97%A5%E6%9C%AC"),
])  # fmt: skip
def test_a_name_as_part_of_an_address(name, expected):
    assert slug(name) == expected


def test_the_daily_lines_of_all_faults_are_one_message():
    assert alike(Word.REMINDED, Fault.LONG) == alike(Word.REMINDED, Fault.FAILURE)
    assert alike(Word.OPENED, Fault.LONG) != alike(Word.OPENED, Fault.FAILURE)
