from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Cronpilot

GOOD = """\
tasks:
  - {name: sweep, command: "true", schedule: manual}
  - {name: year-2038, command: "true", schedule: once 2038-01-19 03:15, timezone: UTC}
  - {name: off, command: "true", schedule: daily 02:30, active: false}
"""
BAD = """\
tasks:
  - name: "a\\e[31m"
    comand: "true"
    schedule: daily 25:00
"""


def test_a_good_file_is_shown_in_words(alone: Cronpilot, somewhere: Path) -> None:
    (somewhere / "tasks.yaml").write_text(GOOD)

    said = alone("validate", "tasks.yaml")

    assert said.code == 0
    assert said.out == (
        "tasks.yaml is valid: 3 tasks\n"
        "NAME       SCHEDULE                          NEXT RUN\n"
        "sweep      only when started by hand         -\n"
        "year-2038  once on 19 January 2038 at 03:15  2038-01-19 04:15 CET\n"
        "off        every day at 02:30                not active\n"
    )


def test_the_next_run_is_told_with_its_spread(alone: Cronpilot, somewhere: Path) -> None:
    (somewhere / "tasks.yaml").write_text(
        GOOD.replace("timezone: UTC", "timezone: UTC, spread: 1h")
    )

    assert "at 03:15  2038-01-19 04:37:36 CET\n" in alone("validate", "tasks.yaml").out


def test_a_good_file_as_json(alone: Cronpilot, somewhere: Path) -> None:
    (somewhere / "tasks.yaml").write_text(GOOD)

    assert alone("validate", "--json").json == {
        "file": f"{somewhere}/tasks.yaml",
        "valid": True,
        "tasks": 3,
        "errors": [],
        "warnings": [],
    }


def test_every_mistake_has_file_line_key_and_a_hint(alone: Cronpilot, somewhere: Path) -> None:
    file = somewhere / "x.yaml"
    file.write_text(BAD)

    said = alone("validate", str(file))
    document = alone("validate", str(file), "--json")

    assert (said.code, document.code) == (2, 2)
    assert f"{file}:3: tasks[0].comand: is not a known key. Did you mean command?" in said.out
    assert f"{file}:4: tasks[0].schedule:" in said.out
    assert "\x1b" not in said.out
    assert (document.json["valid"], document.json["file"]) == (False, str(file))
    assert {
        "file": str(file),
        "line": 3,
        "key": "tasks[0].comand",
        "problem": "is not a known key.",
        "hint": "Did you mean command?",
    } in document.json["errors"]


@pytest.mark.parametrize("given", [[], ["--json"]])
def test_no_file_at_all_is_said(alone: Cronpilot, given: list[str]) -> None:
    said = alone("validate", *given)

    assert said.code == 2
    assert said.err == (
        "cronpilot: There is no tasks.yaml here. Name one: cronpilot validate FILE\n"
    )


def test_a_file_that_does_not_exist_is_a_mistake_of_that_file(alone: Cronpilot) -> None:
    said = alone("validate", "/nowhere/tasks.yaml", "--json")

    assert said.code == 2
    assert said.json["errors"][0]["file"] == "/nowhere/tasks.yaml"


def test_a_bad_config_is_shown_with_it(alone: Cronpilot, somewhere: Path) -> None:
    (somewhere / "tasks.yaml").write_text(GOOD)
    (somewhere / "config.yaml").write_text("scheduler: {max_wokers: 3}\n")

    said = alone("validate")

    assert said.code == 2
    assert "config.yaml:1: scheduler.max_wokers: is not a known key." in said.out
