"""list, next, pause, resume."""

from __future__ import annotations

import re

import pytest

from cronpilot.client.fake import make_task

from .conftest import Cronpilot, Running

SHOWN = "../../etc/x [/] \\x1b[31m\\x9b2J␤\\u202e"


def test_list_shows_schedule_next_run_and_last_result(cronpilot: Cronpilot) -> None:
    said = cronpilot("list")

    assert said.code == 0
    assert [re.split("  +", line.strip()) for line in said.out.splitlines()] == [
        ["ID", "NAME", "SCHEDULE", "NEXT RUN", "LAST"],
        ["1", "backup-db", "every day at 02:30", "2026-03-05 03:30 CET", "-"],
        ["2", "report", "only when started by hand", "-", "-"],
        ["3", SHOWN, "every minute", "2026-03-05 03:30 CET", "-"],
    ]


def test_list_as_json_is_a_bare_array_of_tasks(cronpilot: Cronpilot) -> None:
    tasks = cronpilot("list", "--json").json

    assert [task["id"] for task in tasks] == [1, 2, 3]
    assert tasks[0]["next_run_at"] == "2026-03-05T02:30:00Z"


def test_list_asks_for_every_page(cronpilot: Cronpilot, engine: Running) -> None:
    for number in range(4, 451):
        engine.do(lambda number=number: engine.fake.put_task(make_task(number, f"t{number}")))

    assert [task["id"] for task in cronpilot("list", "--json").json] == list(range(1, 451))


def test_list_without_tasks_says_where_they_come_from(
    cronpilot: Cronpilot, engine: Running
) -> None:
    for number in (1, 2, 3):
        engine.do(lambda number=number: engine.fake.remove_task(number))

    assert cronpilot("list").out.startswith("There are no tasks yet.")
    assert cronpilot("list", "--json").json == []


def test_next_shows_what_starts_soonest(cronpilot: Cronpilot) -> None:
    said = cronpilot("next", "backup-db")

    assert said.out == (
        "STARTS                TASK       TIME ZONE OF THE TASK\n"
        "2026-03-05 03:30 CET  backup-db  UTC\n"
    )


def test_next_as_json(cronpilot: Cronpilot) -> None:
    assert cronpilot("next", "--limit", "1", "--json").json == [
        {
            "task_id": 1,
            "task_name": "backup-db",
            "scheduled_for": "2026-03-05T02:30:00Z",
            "starts_at": "2026-03-05T02:30:00Z",
            "timezone": "UTC",
            "quiet": "",
        }
    ]


def test_next_of_a_task_that_is_started_by_hand(cronpilot: Cronpilot) -> None:
    assert cronpilot("next", "report").out == "Nothing is planned.\n"


def test_pause_and_resume_a_task(cronpilot: Cronpilot, engine: Running) -> None:
    paused = cronpilot("pause", "backup-db")
    listed = cronpilot("list")
    resumed = cronpilot("resume", "1")

    assert paused.out == "backup-db is paused. What runs goes on.\n"
    assert "every day at 02:30         paused" in listed.out
    assert resumed.out == "backup-db starts next at 2026-03-05 03:30 CET.\n"
    assert engine.fake.calls == [("pause_task", 1), ("resume_task", 1)]


def test_pause_and_resume_the_scheduler(cronpilot: Cronpilot) -> None:
    paused = cronpilot("pause", "--all")
    resumed = cronpilot("resume", "--all")

    assert paused.out.startswith("The scheduler is paused: nothing starts by schedule.")
    assert resumed.out == "The scheduler is not paused.\n"


def test_changes_as_json_are_the_changed_row(cronpilot: Cronpilot) -> None:
    assert cronpilot("pause", "backup-db", "--json").json["paused_at"] is not None
    assert cronpilot("resume", "backup-db", "--json").json["paused_at"] is None
    assert cronpilot("pause", "--all", "--json").json["paused"] is True


@pytest.mark.parametrize("command", ["pause", "resume"])
@pytest.mark.parametrize("words", [[], ["backup-db", "--all"]], ids=["nothing", "both"])
def test_a_task_or_all_has_to_be_named(
    cronpilot: Cronpilot, command: str, words: list[str]
) -> None:
    said = cronpilot(command, *words)

    assert (said.code, said.err) == (2, "cronpilot: Name one task, or say --all.\n")


@pytest.mark.parametrize("words", [["next", "nope"], ["pause", "nope"], ["resume", "nope"]])
def test_an_unknown_task_is_exit_code_2(cronpilot: Cronpilot, words: list[str]) -> None:
    said = cronpilot(*words)

    assert said.code == 2
    assert said.err == "cronpilot: There is no task 'nope'. See: cronpilot list\n"
    assert said.out == ""
