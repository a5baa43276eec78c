"""revisions, undo, export, diff."""

from __future__ import annotations

import pytest

from cronpilot.client.messages import FieldChange, FileDifference

from .conftest import HOSTILE, Cronpilot, Running


@pytest.fixture
def edited(engine: Running) -> Running:
    """backup-db got another schedule and a time-out."""
    changes = {"schedule": "daily 04:00", "timeout": "5m", "env": {"A": "\x1b[2J"}}
    engine.ask(lambda fake: fake.change_task(1, changes))
    return engine


def test_revisions_say_what_each_change_was(edited: Running, cronpilot: Cronpilot) -> None:
    edited.ask(lambda fake: fake.change_task(1, {"timeout": None}))
    said = cronpilot("revisions", "backup-db")
    lines = [line for line in said.out.splitlines() if line.startswith(" ")]

    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines() if not line.startswith(" ")] == [
        "2",
        "1",
    ]
    assert lines == [
        "    timeout: 5m -> -",
        '    env: - -> {"A": "\\u001b[2J"}',
        "    schedule: daily 02:30 -> daily 04:00",
        "    timeout: - -> 5m",
    ]
    assert [row["version"] for row in cronpilot("revisions", "1", "--json").json] == [3, 2]


def test_undo_puts_back_what_was_before(edited: Running, cronpilot: Cronpilot) -> None:
    said = cronpilot("undo", "backup-db")

    assert said.out == "backup-db is as it was before the last revision; this is version 3.\n"
    assert edited.ask(lambda fake: fake.task(1)).schedule == "daily 02:30"


def test_undo_of_one_revision(edited: Running, cronpilot: Cronpilot) -> None:
    edited.ask(lambda fake: fake.change_task(1, {"timeout": "9m"}))
    said = cronpilot("undo", "backup-db", "1", "--json")

    assert (said.json["timeout"], said.json["version"]) == (None, 4)


def test_undo_brings_a_deleted_task_back_by_its_name(engine: Running, cronpilot: Cronpilot) -> None:
    engine.ask(lambda fake: fake.delete_task(3))
    back = cronpilot("undo", HOSTILE)
    gone = cronpilot("undo", HOSTILE)

    assert back.code == 0
    assert "\x1b" not in back.out
    assert "is deleted again" in gone.out


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["undo", "backup-db"], 4, "nothing to undo"),
        (["undo", "backup-db", "99"], 2, "There is no revision '99'."),
        (["undo", "nobody"], 2, "There is no task 'nobody'."),
        (["revisions", "nobody"], 2, "There is no task 'nobody'."),
    ],
)
def test_what_cannot_be_undone_is_said(
    cronpilot: Cronpilot, words: list[str], code: int, sentence: str
) -> None:
    said = cronpilot(*words)

    assert (said.code, said.out) == (code, "")
    assert sentence in said.err


def test_export_prints_the_file_and_nothing_else(cronpilot: Cronpilot) -> None:
    said = cronpilot("export")

    assert said.out.startswith('tasks:\n  - name: "backup-db"\n')
    assert cronpilot("export", "--json").json == {"tasks_yaml": said.out}


def test_a_crontab_has_the_minute_at_which_a_schedule_was_set_and_no_escapes(
    engine: Running, cronpilot: Cronpilot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    engine.ask(lambda fake: fake.change_task(1, {"schedule": "hourly"}))
    engine.fake.put_task(
        engine.ask(lambda fake: fake.task(1)).model_copy(
            update={"schedule_expression": "49 * * * *"}
        )
    )
    said = cronpilot("export", "--crontab").out

    assert "\n49 * * * * " in said
    assert "\x1b" not in said
    assert "# The times are those of UTC; cron takes them in Asia/Tokyo.\n" in said


def test_diff_is_silent_work_where_nothing_differs(cronpilot: Cronpilot) -> None:
    said = cronpilot("diff")

    assert (said.code, said.out) == (0, "The tasks are as tasks.yaml says.\n")


def test_diff_names_what_differs_and_exits_with_one(engine: Running, cronpilot: Cronpilot) -> None:
    engine.fake.definitions.in_file = [
        FileDifference(
            task_name="report",
            kind="differs",
            changes=[FieldChange(field="command", before="a\nb", after="c" * 200)],
        ),
        FileDifference(task_name=HOSTILE, kind="deleted here"),
        FileDifference(task_name="new", kind="only in the file"),
    ]
    said = cronpilot("diff")

    assert said.code == 1
    assert said.out.splitlines()[:2] == [
        "report: differs",
        f"    command: a␤b in the file, {'c' * 119}… here",
    ]
    assert said.out.splitlines()[-1] == "new: only in the file"
    assert "\x1b" not in said.out
    assert cronpilot("diff", "--json").code == 1
