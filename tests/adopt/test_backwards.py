"""Tasks as a crontab."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from cronpilot.adopt import look_at
from cronpilot.adopt.backwards import crontab_text
from cronpilot.domain.task import TaskSpec


def spec(**fields: Any) -> TaskSpec:
    return TaskSpec.model_validate({"name": "x", "command": "do-it", "schedule": "manual"} | fields)


def line_of(**fields: Any) -> str:
    """The last line, which is the task's own."""
    return crontab_text([spec(**fields)], "UTC").splitlines()[-1]


@pytest.mark.parametrize(("schedule", "fields"), [
    ("daily 02:30", "30 2 * * *"),
    ("weekly mon,thu 09:00", "0 9 * * mon,thu"),
    ("*/5 * * * *", "*/5 * * * *"),
    ("every 15m", "*/15 * * * *"),
    ("every 1m", "* * * * *"),
    ("every 6h", "0 */6 * * *"),
    ("every 1d", "0 0 * * *"),
])  # fmt: skip
def test_a_schedule_as_five_fields(schedule: str, fields: str):
    assert line_of(schedule=schedule) == f"{fields} do-it"


@pytest.mark.parametrize(
    "schedule", ["every 1m30s", "every 7m", "once 2030-01-01 00:00", "manual", "0 0 L * *",
                 "0 0 * * fri#2", "5/15 * * * *"],
)  # fmt: skip
def test_what_no_crontab_can_say_is_a_comment(schedule: str):
    assert line_of(schedule=schedule) == f"# has no equal in a crontab: schedule: {schedule}"


@pytest.mark.parametrize(
    ("command", "why"),
    [("printf 'a\\%'", "a backslash before a %"), ("a\nb", "a command of several lines")],
)
def test_a_command_no_crontab_can_say_is_a_comment(command: str, why: str):
    assert line_of(schedule="daily 02:30", command=command) == f"# has no equal in a crontab: {why}"


def test_an_hourly_task_keeps_the_minute_at_which_it_was_set():
    text = crontab_text([spec(schedule="hourly")], "UTC", resolved={"x": "49 * * * *"})

    assert text.endswith("\n49 * * * * do-it\n")


def test_a_name_from_outside_reaches_no_terminal_raw():
    assert "\x1b" not in crontab_text([spec(name="a\x1b]0;b\x07")], "UTC")


def test_what_is_lost_is_said_above_the_line():
    text = crontab_text([spec(schedule="daily 02:30", max_retries=3, timeout="1h")], "UTC")

    assert "# without timeout, max_retries\n30 2 * * * do-it\n" in text


def test_variables_directory_and_percent_signs_mean_the_same_to_the_shell():
    line = line_of(schedule="daily 02:30", command="printf '%s:%s' \"$A\" \"$PWD\"",
                   env={"A": "it's 100%"}, working_dir="/usr")  # fmt: skip
    command = line.split(None, 5)[5]
    said = subprocess.run(
        ["/bin/sh", "-c", command.replace("\\%", "%")], capture_output=True, text=True
    )

    assert "%" not in command.replace("\\%", "")
    assert said.stdout == "it's 100%:/usr"


def test_an_inactive_task_is_commented_out_and_a_user_can_stand_in_each_line():
    inactive = crontab_text([spec(schedule="daily 02:30", active=False)], "UTC")
    system = crontab_text([spec(schedule="daily 02:30", user="www-data")], "UTC", has_user=True)

    assert inactive.endswith("\n#30 2 * * * do-it\n")
    assert system.endswith("\n30 2 * * * www-data do-it\n")


def test_there_and_back_again(tmp_path):
    tasks = [spec(name=f"t{n}", schedule=f"daily 0{n}:15", command=f"job{n} --at 100%")
             for n in range(5)]  # fmt: skip
    back = look_at(tmp_path, crontab_text(tasks, "UTC"), "root", has_user=False)

    assert [(one.spec.command, one.spec.schedule.expression) for one in back if one.spec] == [
        (task.command, task.schedule.expression) for task in tasks
    ]
