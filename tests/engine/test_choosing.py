"""Which tasks file is in force, and who is asked before another one takes over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cronpilot.config.settings import Settings
from cronpilot.engine.choosing import choose_tasks_file
from cronpilot.storage.peek import Declared, peek

ONE = "name: one\ncommand: 'true'\nschedule: manual"


class Person:
    """Somebody at the terminal."""

    def __init__(self, answer: bool) -> None:
        self.asked: list[str] = []
        self._answer = answer

    def __call__(self, question: str) -> bool:
        self.asked.append(question)
        return self._answer


@pytest.fixture
async def settings(bench) -> Settings:
    """Of a state directory that remembers a tasks file with one task; another file is named."""
    bench.tasks(ONE)
    async with bench.engine():
        pass
    return Settings(
        state_dir=bench.state_dir, database=bench.database, config_file=None, timezone="UTC",
        tasks_file=Path("/srv/other.yaml"), tasks_file_found="flag",
    )  # fmt: skip


def test_the_database_says_which_files_it_knows(bench, settings):
    assert peek(bench.database) == Declared(str(bench.tasks_file), {str(bench.tasks_file): 1})


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 99], ids=["none", "empty", "x"])
def test_a_database_that_cannot_be_read_knows_nothing(tmp_path, content):
    path = tmp_path / "cronpilot.db"
    if content is not None:
        path.write_bytes(content)

    assert peek(path) == Declared()
    assert path.exists() == (content is not None)


def test_a_file_that_merely_lies_there_does_not_take_the_place_of_the_remembered_one(
    bench, settings
):
    person = Person(True)
    found = replace(settings, tasks_file_found="working directory")
    chosen = choose_tasks_file(found, person)

    assert (chosen.tasks_file, chosen.take_over, person.asked) == (bench.tasks_file, False, [])
    assert chosen.settings_warnings == (
        f"{bench.state_dir} belongs to {bench.tasks_file}; to use /srv/other.yaml instead, name it:"
        " --tasks FILE",
    )


def test_without_a_file_the_remembered_one_is_used_without_a_word(bench, settings):
    nothing = replace(settings, tasks_file=None, tasks_file_found=None)
    chosen = choose_tasks_file(nothing)

    assert (chosen.tasks_file, chosen.settings_warnings) == (bench.tasks_file, ())


@pytest.mark.parametrize("answer", [True, False])
def test_a_person_is_asked_before_another_file_takes_over(bench, settings, answer):
    person = Person(answer)
    chosen = choose_tasks_file(settings, person)

    assert (chosen.tasks_file, chosen.take_over) == (Path("/srv/other.yaml"), answer)
    assert person.asked == [
        f"Tasks of another tasks file are here: 1 of {bench.tasks_file}. Archive those that"
        " /srv/other.yaml does not have? Their history is kept. [y/N] "
    ]


def test_where_nobody_can_be_asked_nothing_is_archived(settings):
    assert choose_tasks_file(settings, None).take_over is False


def test_who_said_yes_is_not_asked(settings):
    person = Person(False)
    chosen = choose_tasks_file(replace(settings, take_over=True), person)

    assert (chosen.take_over, person.asked) == (True, [])


def test_the_same_file_is_no_question(bench, settings):
    person = Person(True)
    same = replace(settings, tasks_file=bench.tasks_file)

    assert choose_tasks_file(same, person) == same
    assert person.asked == []
