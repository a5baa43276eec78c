"""Schedules in plain English."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cronpilot.domain.explain import explain, explain_cron
from cronpilot.domain.schedule import Schedule


@pytest.mark.parametrize(("schedule", "words"), [
    ("hourly", "every hour, at the minute at which it is set"),
    ("hourly :30", "every hour at minute 30"),
    ("daily 02:30", "every day at 02:30"),
    ("weekly mon,thu 09:00", "every Monday and Thursday at 09:00"),
    ("weekly sun 09:00", "every Sunday at 09:00"),
    ("weekly mon,tue,wed,thu,fri 09:00", "Monday to Friday at 09:00"),
    ("every 1s", "every second"),
    ("every 90s", "every 90 seconds"),
    ("every 1500ms", "every 1.5 seconds"),
    ("every 5m", "every 5 minutes"),
    ("every 90m", "every 90 minutes"),
    ("every 1h", "every hour"),
    ("every 1d", "every 24 hours"),
    ("every 7d", "every 7 days"),
    ("once 2026-12-24 18:00", "once on 24 December 2026 at 18:00"),
    ("once 2026-12-24 18:00:05", "once on 24 December 2026 at 18:00:05"),
    ("once 2026-12-24 18:00+01:00", "once on 24 December 2026 at 18:00 UTC+01:00"),
    ("once 2026-12-24 18:00+00:00", "once on 24 December 2026 at 18:00 UTC"),
    ("manual", "only when started by hand"),
    ("@daily", "every day at 00:00"),
    ("H 3 * * *", "by H 3 * * *, where H is a number of the task's own"),
    ("H(0-29)/10,45 3 * * *",
     "by H(0-29)/10,45 3 * * *, where H is a number of the task's own"),
    ("0 3 * MAR THU", "every Thursday in March at 03:00"),
    ("@MONTHLY", "at 00:00 on the 1st of the month"),
])  # fmt: skip
def test_every_type_in_words(schedule, words):
    assert explain(Schedule.model_validate(schedule)) == words


@pytest.mark.parametrize(("schedule", "resolved", "words"), [
    ("hourly", "17 * * * *", "every hour at minute 17"),
    ("H 3 * * *", "41 3 * * *", "every day at 03:41"),
    ("every 90s", "2026-06-01T10:17:42Z/1m30s", "every 90 seconds"),
])  # fmt: skip
def test_the_resolved_numbers_are_told(schedule, resolved, words):
    assert explain(Schedule.model_validate(schedule), resolved=resolved) == words


@pytest.mark.parametrize(("expression", "words"), [
    ("0 0 13 * 5", "at 00:00 on the 13th of the month, and on every Friday"),
    ("0 0 */2 * 1", "at 00:00 on every 2nd day of the month, if that is a Monday"),
    ("0 0 1 * */2",
     "at 00:00 on the 1st of the month, if that is a Tuesday, Thursday, Saturday or Sunday"),
    ("0 0 1-31 * 1", "every day at 00:00"),
    ("0 0 1 * 0-6", "every day at 00:00"),
    ("0 0 * * 1", "every Monday at 00:00"),
    ("0 0 * * 7", "every Sunday at 00:00"),
    ("0 0 * * 5-7", "Friday to Sunday at 00:00"),
    ("0 0 * * sat,sun", "every Saturday and Sunday at 00:00"),
    ("0 0 */2 * *", "at 00:00 on every 2nd day of the month"),
    ("0 0 15-31/3 * *", "at 00:00 on every 3rd day from the 15th to the 30th of the month"),
    ("0 0 1-7 * *", "at 00:00 on the 1st to the 7th of the month"),
    ("0 0 1,11,22 * *", "at 00:00 on the 1st, the 11th and the 22nd of the month"),
    ("0 0 L * *", "at 00:00 on the last day of the month"),
    ("0 0 LW * *", "at 00:00 on the last working day of the month"),
    ("0 0 1,L * *", "at 00:00 on the 1st and the last day of the month"),
    ("0 0 * * 5L", "the last Friday of the month at 00:00"),
    ("0 0 * * fri#2", "the second Friday of the month at 00:00"),
    ("0 0 13 * fri#1", "at 00:00 on the 13th of the month, and on the first Friday of the month"),
    ("0 0 1 mar-8 *", "at 00:00 on the 1st of the month in March to August"),
    ("0 0 * 6 *", "every day in June at 00:00"),
    ("0 0 1 1 1", "in January, at 00:00 on the 1st of the month, and on every Monday"),
    ("15 10 29 2 *", "every 29 February at 10:15"),
    ("*/10 * 25 12 *", "every 10 minutes, on 25 December"),
    ("*/10 * * 6 *", "every 10 minutes, in June"),
])  # fmt: skip
def test_the_rule_of_the_day_fields_in_words(expression, words):
    assert explain_cron(expression) == words


@pytest.mark.parametrize(("expression", "words"), [
    ("* * * * *", "every minute"),
    ("9,* * * * *", "every minute"),
    ("*/5 * * * *", "every 5 minutes"),
    ("*/7 * * * *", "every 7 minutes, starting over each hour"),
    ("0 */2 * * *", "every 2 hours"),
    ("30 */2 * * *", "every 2 hours at minute 30"),
    ("5-5/3 * * * *", "every hour at minute 5"),
    ("0 8-18 * * mon-fri", "every hour from 08:00 to 18:00, Monday to Friday"),
    ("*/15 8-18 * * mon-fri", "every 15 minutes, between 08:00 and 18:59, Monday to Friday"),
    ("0 8,12,18 * * *", "every day at 08:00, 12:00 and 18:00"),
    ("0 */5 * * *", "every day at 00:00, 05:00, 10:00, 15:00 and 20:00"),
    ("10-20 * * * *", "at minutes 10 through 20 past the hour"),
    ("5/15 * * * *", "every 15 minutes, starting at 5 minutes past the hour"),
])  # fmt: skip
def test_times_of_day_in_words(expression, words):
    assert explain_cron(expression) == words


def test_the_language_is_not_the_machines():
    program = (
        "from cronpilot.domain.explain import explain_cron; print(explain_cron('10-20 * * * *'))"
    )

    for language in ("C", "de_DE.UTF-8", ""):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            env={"LC_ALL": language, "LANG": language, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "at minutes 10 through 20 past the hour\n"


def test_importing_the_domain_loads_neither_croniter_nor_the_explainer():
    program = (
        "import sys, cronpilot.domain.task, cronpilot.domain.explain;"
        "print({'croniter', 'cron_descriptor', 'textual', 'sqlmodel'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "set()\n"
