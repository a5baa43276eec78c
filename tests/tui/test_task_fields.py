"""The fields of a task as a form has them, and what saving would change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cronpilot.client.fake import NOON, make_task
from cronpilot.domain.task import TaskSpec
from cronpilot.tui.definition_diff import as_changes, changed_fields, diff_lines
from cronpilot.tui.judging import Filled, judge
from cronpilot.tui.task_fields import FORM_FIELDS, check, fields_of, read_texts, spec_of, texts_of

TASK = make_task(1, "backup-db", command="pg_dump shop", env={"A": "1", "B": "2"},
                 limits={"memory": 512_000_000, "nice": None}, tags=["db"])  # fmt: skip


def typed(**texts):
    """The form of TASK with these texts in it, judged."""
    form = Filled.begin(fields_of(TASK), TASK, "UTC")
    texts = {name.replace("__", "."): text for name, text in texts.items()}
    return judge(replace(form, texts={**form.texts, **texts}), NOON, 1)


def changes(**texts):
    judged = typed(**texts)
    assert judged.spec is not None, judged.problems
    return changed_fields(spec_of(fields_of(TASK)), judged.spec)


def test_every_field_of_a_task_is_on_the_form():
    parts = {name.split(".")[0] for name in FORM_FIELDS}
    assert parts | {"schedule", "timezone"} == set(TaskSpec.model_fields)


def test_values_stand_there_as_people_write_them():
    texts = texts_of(fields_of(TASK))
    assert texts["env"] == "A=1\nB=2"
    assert texts["limits.memory"] == "512MB"
    assert texts["log_limit"] == "50MB"
    assert texts["stop_grace"] == "10s"
    assert texts["success_codes"] == "0"
    assert texts["active"] == "yes"


def test_what_nobody_touched_is_not_changed():
    assert changes() == []


@pytest.mark.parametrize(
    ("field", "text", "line"),
    [
        ("name", "backup", "name: backup-db → backup"),
        ("command", "a\nb", "command: pg_dump shop → a␤b"),
        ("command", '["pg_dump", "-v"]', "command: pg_dump shop → pg_dump, -v"),
        ("command", '["$A" = 1] && b', 'command: pg_dump shop → ["$A" = 1] && b'),
        ("tags", "db, nightly", "tags: db → db, nightly"),
        ("tags", "", "tags: db → default"),
        ("active", "no", "active: default → no"),
        ("env", "A=1\nB=3=4\n\n", "env.B: 2 → 3=4"),
        ("env", "A=1", "env.B: 2 → default"),
        ("timeout", "1h30m", "timeout: default → 1h30m"),
        ("max_retries", "3", "max_retries: default → 3"),
        ("retry_backoff", "1.5", "retry_backoff: default → 1.5"),
        ("success_codes", "0, 24", "success_codes: default → 0, 24"),
        ("overlap", "queue", "overlap: default → queue"),
        ("limits__memory", "1GB", "limits.memory: 512000000 → 1000000000"),
        ("limits__memory", "", "limits.memory: 512000000 → default"),
        ("priority", "-5", "priority: default → -5"),
        ("keep", "100", "keep: default → 100"),
        ("notify__on", "always", "notify: default → always"),
        ("notify__to", "a@x, b@x", "notify.to: default → a@x, b@x"),
        ("notify__to", "-", "notify.to: default → none"),
        (
            "notify__ping",
            "start=https://x/a fail=https://x/b",
            "notify.ping: default → start https://x/a, fail https://x/b",
        ),
        ("alarms__long", "2h", "alarms.long: default → 2h"),
        ("alarms__skipped", "3", "alarms.skipped: default → 3"),
    ],
)
def test_what_was_typed_is_told_as_a_line(field, text, line):
    assert diff_lines(changes(**{field: text})) == [line]


@pytest.mark.parametrize(
    ("field", "text", "problem"),
    [
        ("name", " ", "cannot be empty."),
        ("command", "", "cannot be empty."),
        ("env", "A", "'A' is not NAME=value."),
        ("env", "A=1\nA=2", "A is set twice."),
        ("env", "1A=1", "'1A' is not the name of a variable."),
        ("timeout", "5", "'5' is not a duration with a unit: write 5s."),
        ("max_retries", "many", "must be a whole number from 0 to 100."),
        ("success_codes", "0 x", "must be a whole number from 0 to 255."),
        ("limits__memory", "much", "'much' is not a size: write 500MB, 2GB, or a number of bytes."),
        ("limits__nice", "40", "must be a whole number from -20 to 19."),
        ("missed_limit", "900", "must be a whole number from 1 to 100."),
        ("notify__to", "a@x, b c", "'b c' is not an e-mail address."),
        ("notify__after", "0", "must be a whole number from 1 to 100."),
        ("alarms__late", "5", "'5' is not a duration with a unit: write 5s; or auto, or off."),
        ("alarms__skipped", "some", "must be a whole number from 1 to 10000, or auto, or off."),
    ],
)
def test_an_error_stands_beside_its_field(field, text, problem):
    judged = typed(**{field: text})
    assert judged.spec is None
    assert {name: one.problem for name, one in judged.problems.items()} == {
        field.replace("__", "."): problem
    }


def test_a_field_set_back_is_sent_as_none():
    assert as_changes(changes(tags="")) == {"tags": None}


def test_of_a_new_task_only_what_it_has_is_told():
    spec = TaskSpec(name="x", command="true", schedule="daily 03:00", max_retries=2)
    assert diff_lines(changed_fields(None, spec), new=True) == [
        "name: x", "command: true", "schedule: daily 03:00", "max_retries: 2",
    ]  # fmt: skip


def test_control_characters_are_shown_and_stay_as_they_were():
    hostile = make_task(1, "\x1b]0;x\x07", command="printf '\x1b[31m\tred'")
    fields = fields_of(hostile)
    texts = texts_of(fields)
    assert "\x1b" not in "".join(texts.values())
    made, problems = read_texts(fields, texts, {**texts, "priority": "5"})
    assert problems == {}
    spec, _ = check(made)
    assert spec is not None
    assert (spec.name, spec.command) == (hostile.name, hostile.command)


def test_only_what_was_typed_differs_from_the_beginning():
    form = Filled.begin(fields_of(TASK), TASK, "UTC")
    assert form.touched == set()
    texts = {**form.texts, "pool": "db"}
    draft = replace(form.draft, time="03:00")
    assert replace(form, texts=texts, draft=draft).touched == {"pool", "time"}
