"""Schedules in so few words that they fit a column."""

from __future__ import annotations

from collections import defaultdict
from random import Random

import pytest

from cronpilot.domain.cron import Cron
from cronpilot.domain.explain import explain_cron
from cronpilot.domain.explain_briefly import explain_briefly, explain_cron_briefly
from cronpilot.domain.schedule import Schedule
from cronpilot.errors import InvalidSchedule
from tests.domain.expressions import expression as any_expression


@pytest.mark.parametrize(("expression", "words"), [
    ("30 6 * * 1-5", "Mon-Fri 06:30"),
    ("0 5 * * 1,3,5", "Mon Wed Fri 05:00"),
    ("5 4 * * 6,0", "Sat Sun 04:05"),
    ("0 0 * * 7", "Sun 00:00"),
    ("30 2 * * *", "daily 02:30"),
    ("0 2,14 * * *", "daily 02:00, 14:00"),
    ("0 4 1 * *", "monthly 1st 04:00"),
    ("0 4 1,15 * *", "monthly 1st 15th 04:00"),
    ("* * * * *", "every minute"),
    ("*/10 * * * *", "every 10m"),
    ("*/10 7-22 * * *", "every 10m 07:00-22:50"),
    ("3/20 7-8 * * *", "every 20m 07:03-08:43"),
    ("3-59/15 * * * *", "every 15m from :03"),
    ("* 9-17 * * 1-5", "Mon-Fri every minute 09:00-17:59"),
    ("*/15 3 * * *", "every 15m 03:00-03:45"),
    ("40 9-21 * * *", "hourly 09:40-21:40"),
    ("5 * * * 0", "Sun hourly :05"),
    ("7,37 * * * *", "every 30m from :07"),
    ("0,20 * * * *", "hourly :00 :20"),
    ("0 */6 * * *", "every 6h 00:00-18:00"),
    ("15 1-23/11 * * *", "daily 01:15, 12:15, 23:15"),
    ("0 0 1-31 * 1", "daily 00:00"),  # one of the two day fields is enough, as Debian has it
])  # fmt: skip
def test_usual_expressions_have_brief_words(expression, words):
    assert explain_cron_briefly(expression) == words


@pytest.mark.parametrize("expression", [
    "*/7 * * * *",  # from :56 it goes to :00
    "0 */5 1 1 *",
    "0 0 13 * 5",
    "0 0 1 * */2",
    "0 0 1 1 *",
    "0 0 L * *",
    "0 0 LW * *",
    "0 9 * * 1#1",
    "0 9 * * 5L",
    "0 0 1,5,9,13 * *",
    "*/10 1,2,4 * * *",
    "0,10,30,40 * * * *",
    "1,2,4 1,2,4 * * *",
])  # fmt: skip
def test_what_takes_more_words_has_none(expression):
    assert explain_cron_briefly(expression) is None


def test_the_same_words_never_mean_two_things():
    random = Random(4)
    meant, told = defaultdict(set), 0
    for _ in range(4_000):
        text = any_expression(random, range(24), random.randint(1, 28), random.randint(1, 12))
        try:
            words = explain_cron_briefly(text)
        except InvalidSchedule:
            continue
        if words is not None:
            told += 1
            meant[words].add(_meaning(Cron.parse(text).fields))
    assert told > 300
    assert [words for words, meanings in meant.items() if len(meanings) > 1] == []


def _meaning(fields):
    """The times of day, and the days of a month that begins on a Monday and of one that begins on
    a Thursday."""
    return fields.minutes, fields.hours, fields.months, fields.days(0, 31), fields.days(3, 30)


def test_brief_words_are_brief():
    random = Random(5)
    texts = [any_expression(random, range(24), 3, 3) for _ in range(500)]
    brief = [(words, text) for text in texts if (words := explain_cron_briefly(text))]
    assert brief
    assert [text for words, text in brief if len(words) > len(explain_cron(text))] == []


@pytest.mark.parametrize(("schedule", "resolved", "words"), [
    ("weekly mon,wed,fri 09:00", None, "Mon Wed Fri 09:00"),
    ("daily 02:30", None, "daily 02:30"),
    ("hourly", "17 * * * *", "hourly :17"),
    ("hourly", None, ""),
    ("H 3 * * *", "41 3 * * *", "daily 03:41"),
    ("H 3 * * *", None, ""),
    ("every 90s", "2026-06-01T10:17:42Z/1m30s", ""),
    ("once 2026-12-24 18:00", None, "2026-12-24 18:00"),
    ("manual", None, ""),
])  # fmt: skip
def test_each_type_of_schedule_has_brief_words_or_none(schedule, resolved, words):
    assert explain_briefly(Schedule.model_validate(schedule), resolved=resolved) == words
