"""The JSON Schema that editors read says what the program says, as far as a schema can."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cronpilot.config.schema import PUBLISHED, schema_text, tasks_schema
from cronpilot.config.strict_yaml import load, parse
from cronpilot.domain.task import TaskSpec

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    schema = json.loads(PUBLISHED.read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def mistakes(validator: Draft202012Validator, text: str) -> list[str]:
    value = parse(text.encode(), file="tasks.yaml").value
    return [error.json_path for error in validator.iter_errors(value)]


def test_the_published_schema_is_the_one_of_the_fields():
    """When this fails: cronpilot schema > cronpilot/config/tasks.schema.json"""
    assert PUBLISHED.read_text() == schema_text()


def test_it_names_every_field_with_its_description():
    fields: dict[str, Any] = tasks_schema()["$defs"]["Task"]["properties"]

    assert set(fields) == set(TaskSpec.model_fields) | {"was"}
    assert [name for name, field in fields.items() if not field.get("description")] == []


@pytest.mark.parametrize("path", ["tasks.yaml", "tests/data/0.1/tasks.yaml"])
def test_files_that_the_program_takes_are_valid(validator: Draft202012Validator, path: str):
    assert [error.message for error in validator.iter_errors(load(ROOT / path).value)] == []


def test_the_projects_file_names_the_schema_in_its_first_line():
    first = (ROOT / "tasks.yaml").read_text().splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")

    assert (ROOT / named).samefile(PUBLISHED)


@pytest.mark.parametrize("text", [
    "", "tasks:", "tasks: []",
    "tasks: [{name: a, command: x, schedule: {type: daily, config: {hour: 2}}}]",
    "tasks: [{name: a, command: [sleep, 5], schedule: every 90s, env: {PORT: 80, ON: true}}]",
    "defaults: {schedule: daily 02:30}\ntasks: [{name: a, command: x, log_limit: 5 MB}]",
    "tasks: [{name: a, was: b, command: x, schedule: manual, limits: {memory: 2GB}}]",
])  # fmt: skip
def test_what_may_be_written(validator: Draft202012Validator, text: str):
    assert mistakes(validator, text) == []


@pytest.mark.parametrize(("text", "where"), [
    ("task: []", "$"),
    ("tasks: [{command: x, schedule: manual}]", "$.tasks[0]"),
    ("tasks: [{name: a, command: x, schedule: manual, comand: y}]", "$.tasks[0]"),
    ("tasks: [{name: a, command: x, schedule: manual, timeout: 5}]", "$.tasks[0].timeout"),
    ("tasks: [{name: a, command: x, schedule: manual, overlap: maybe}]", "$.tasks[0].overlap"),
    ("tasks: [{name: a, command: x, schedule: manual, max_retries: -1}]", "$.tasks[0].max_retries"),
    ("tasks: [{name: a, command: x, schedule: manual, log_limit: much}]", "$.tasks[0].log_limit"),
    ("defaults: {name: a}", "$.defaults"),
])  # fmt: skip
def test_what_editors_underline(validator: Draft202012Validator, text: str, where: str):
    assert [place for place in mistakes(validator, text) if place.startswith(where)] != []
