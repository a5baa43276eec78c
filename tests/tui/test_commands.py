"""Which command a few letters mean."""

from __future__ import annotations

import pytest

from cronpilot.tui.commands import Command, choose, split_verb, with_tasks

COMMANDS = [
    Command("task.run", "Run", "Start this task now", "backup-db", "r"),
    Command("task.pause", "Pause", "Pause this task", "backup-db", "p"),
    Command("view.running", "Running", "What runs and waits", keys="2"),
    Command("scheduler.pause", "Pause all", "The whole scheduler", keys="P"),
    Command("theme.dark", "Theme: dark", "Remembered"),
]


def found(typed: str, recent: tuple[str, ...] = ()) -> list[str]:
    return [command.id for command in choose(COMMANDS, typed, recent)]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("run", "task.run"),
        ("running", "view.running"),
        ("dark", "theme.dark"),
        ("thdk", "theme.dark"),
        ("pause all", "scheduler.pause"),
        ("all pause", "scheduler.pause"),
        ("whole", "scheduler.pause"),
        ("P", "scheduler.pause"),
        ("PAUSE B", "task.pause"),
    ],
)
def test_the_likeliest_comes_first(typed, first):
    assert found(typed)[0] == first


def test_what_was_used_lately_comes_first_among_equals():
    assert found("")[0] == "task.run"
    assert found("", ("theme.dark", "task.pause"))[:3] == ["theme.dark", "task.pause", "task.run"]
    assert found("pause", ("scheduler.pause",))[0] == "scheduler.pause"


def test_what_fits_nothing_finds_nothing():
    assert found("xyzzy") == []


def test_a_verb_and_the_beginning_of_a_name():
    verbs, rest = split_verb("pau shop dump", COMMANDS)
    assert ([one.id for one in verbs], rest) == (["task.pause", "scheduler.pause"], "shop dump")
    assert split_verb("pause ", COMMANDS) == ([], "")


def test_a_task_comes_before_commands_that_have_its_letters_here_and_there():
    commands = [Command("health", "Health"), Command("contrast", "Theme: contrast")]
    task = Command("task 1", "Go to", about="heartbeat")
    chosen = choose(commands, "hea")

    assert [one.id for one in chosen] == ["health", "contrast"]
    assert [one.id for one in with_tasks("hea", chosen, [task])] == ["health", "task 1", "contrast"]
