"""The tasks.yaml that comes with the project is in order, and does what its comments say."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cronpilot.config.tasks_file import TasksFile, read_tasks_file
from cronpilot.domain.schedule import Schedule, ScheduleType
from cronpilot.domain.task import TaskSpec

PATH = Path(__file__).parents[2] / "tasks.yaml"
SHIPPED = read_tasks_file(PATH, now=datetime(2026, 11, 1, tzinfo=UTC))
SPECS = {entry.spec.name: entry.spec for entry in SHIPPED.entries}
SHELL = {name: spec for name, spec in SPECS.items() if isinstance(spec.command, str)}

Start = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Runs a shipped task as CronPilot would, in a state directory whose name has a blank. `sleep`
    takes no time and `cronpilot backup` writes a file."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"sleep": "exit 0", "cronpilot": 'echo "$1" > "$2"'}.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    state = tmp_path / "the state"
    (state / "logs/1").mkdir(parents=True)

    def run(name: str, attempt: int = 1, **env: str) -> subprocess.CompletedProcess[str]:
        spec = SPECS[name]
        command = spec.command if isinstance(spec.command, list) else [
            spec.shell, "-c", spec.command,
        ]  # fmt: skip
        path = f"{programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return subprocess.run(
            command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=60, env={
                "PATH": path, "HOME": str(tmp_path), "CRONPILOT_STATE_DIR": str(state),
                "CRONPILOT_ATTEMPT": str(attempt), **spec.env, **env,
            },
        )  # fmt: skip

    return run


def test_it_is_valid_and_has_nothing_to_warn_of():
    assert [str(one) for one in SHIPPED.warnings] == []


def test_it_shows_every_type_of_schedule():
    assert {spec.schedule.type for spec in SPECS.values()} == set(ScheduleType)


@pytest.mark.parametrize(("name", "schedule"), [
    ("heartbeat", "* * * * *"), ("disk-space", "hourly :05"), ("backup-cronpilot", "daily 02:30"),
    ("clean-old-logs", "weekly sun 04:00"), ("load-and-memory", "0 */2 * * *"),
    ("probe-state-directory", "every 1m30s"), ("minute-report", "manual"),
    ("flaky-errand", "hourly :30"), ("year-2038", "once 2038-01-19 03:15"),
])  # fmt: skip
def test_each_task_has_its_schedule(name: str, schedule: str):
    assert SPECS[name].schedule.shorthand == schedule


def test_every_task_is_described_and_limited_in_time():
    assert all(spec.description and spec.timeout for spec in SPECS.values())


@pytest.mark.parametrize("name", SHELL)
def test_each_command_is_what_a_shell_can_read(name: str):
    checked = subprocess.run(["sh", "-n", "-c", str(SHELL[name].command)], capture_output=True)

    assert (checked.returncode, checked.stderr) == (0, b"")


@pytest.mark.parametrize("name", [
    "heartbeat", "disk-space", "probe-state-directory", "load-and-memory", "minute-report",
])  # fmt: skip
def test_a_harmless_task_succeeds_and_says_something(start: Start, name: str):
    done = start(name)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()


def test_the_report_has_a_line_for_each_second_of_its_minute(start: Start):
    lines = start("minute-report").stdout.splitlines()

    assert [int(line.split("/")[0]) for line in lines[:-1]] == list(range(1, 61))
    assert lines[-1].startswith("Highest load: ")


def test_the_probe_fails_when_there_is_no_room(start: Start):
    done = start("probe-state-directory", LEAST_MB="999999999999")

    assert done.returncode == 1
    assert "that is less than" in done.stdout


def test_the_backup_keeps_the_newest_seven_copies(start: Start, tmp_path: Path):
    copies = tmp_path / "the state/backups"
    copies.mkdir()
    for day in range(1, 10):
        (copies / f"cronpilot-2020010{day}-023000.db").touch()
    (copies / "mine.db").touch()

    done = start("backup-cronpilot")

    assert (done.returncode, done.stderr) == (0, "")
    kept = sorted(path.name for path in copies.iterdir())
    assert [name[:18] for name in kept[:6]] == [f"cronpilot-2020010{day}" for day in range(4, 10)]
    assert re.fullmatch(r"cronpilot-\d{8}-\d{6}\.db", kept[6])
    assert kept[7:] == ["mine.db"]


def test_the_clean_up_deletes_only_old_logs_and_names_them(start: Start, tmp_path: Path):
    logs = tmp_path / "the state/logs/1"
    for name, days in {"1.log": 92, "2.log": 89, "3.txt": 92}.items():
        (logs / name).touch()
        then = datetime.now(UTC).timestamp() - days * 86_400
        os.utime(logs / name, (then, then))

    done = start("clean-old-logs")

    assert sorted(path.name for path in logs.iterdir()) == ["2.log", "3.txt"]
    assert done.stdout.splitlines()[0] == str(logs / "1.log")
    assert done.stdout.splitlines()[1].startswith("1 logs are left: ")


def test_the_flaky_task_succeeds_at_its_last_attempt(start: Start):
    codes = [start("flaky-errand", attempt).returncode for attempt in (1, 2, 3)]

    assert codes == [1, 1, 0]
    assert SPECS["flaky-errand"].max_retries == 2


def test_the_forms_in_the_opening_comment_are_schedules():
    shown = re.findall(r'^#   schedule: ("?)(.+?)\1(?: {3,}.*)?$', PATH.read_text(), re.MULTILINE)

    types = [Schedule.model_validate(text).type for _, text in shown]

    assert set(types) == set(ScheduleType)


def test_the_task_that_is_commented_out_is_valid_too(tmp_path: Path):
    _, _, tail = PATH.read_text().partition("More of what a task can say")
    lines = [line.replace("  # ", "  ", 1) for line in tail.splitlines()[1:]]
    (tmp_path / "tasks.yaml").write_text("tasks:\n" + textwrap.dedent("\n".join(lines)))

    read: TasksFile = read_tasks_file(tmp_path / "tasks.yaml")

    spec: TaskSpec = read.entries[0].spec
    assert (spec.name, read.entries[0].was) == ("nightly-dump", "dump")
    assert (spec.active, spec.priority, spec.pool) == (False, 10, "db")
