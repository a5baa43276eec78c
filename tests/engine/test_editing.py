"""Editing by hand: each change a revision and an audit line, refused where somebody was faster."""

from __future__ import annotations

import asyncio
import os

import pytest
from sqlalchemy import text

from cronpilot.client.actor import FRONT
from cronpilot.client.messages import RunQuery, TaskQuery, TaskRemoved
from cronpilot.domain.run import Reason, Status
from cronpilot.domain.task import TaskSpec, spec_dict
from cronpilot.errors import ConfigError, Conflict, NotFound, Refused
from tests.engine.conftest import finished, history, reached, start, until_there

NEW = {"name": "new", "command": "true", "schedule": "daily 02:30"}


@pytest.fixture
async def engine(bench):
    """An engine without tasks."""
    async with bench.engine() as running:
        yield running


async def audit(engine) -> list[tuple[str, str, str]]:
    """Actor, action and detail of every line about a task, oldest first."""
    question = text("SELECT actor, action, detail FROM audit WHERE task_id NOT NULL ORDER BY id")
    rows = await engine._reader.read(lambda c: c.execute(question).all())
    return [tuple(row) for row in rows]


async def kinds(engine, task_id: int) -> list[tuple[int, str]]:
    return [(row.version, row.kind) for row in await engine.revisions(task_id)]


# --- create -------------------------------------------------------------------------------------


async def test_a_task_is_made_planned_and_can_be_started(engine):
    made = await engine.create_task(NEW)
    run = await finished(engine, (await start(engine, "new")).id)

    assert (made.id, made.version, made.origin, made.differs_from_file) == (1, 1, "api", False)
    assert made.next_run_at.strftime("%H:%M") == "02:30"
    assert run.status is Status.SUCCESS
    assert [(row.kind, [change.field for change in row.changes])
            for row in await engine.revisions(1)] == [
        ("created", ["name", "command", "schedule"])
    ]  # fmt: skip


WHOLE = {
    "name": "whole", "description": "all of it", "command": ["df", "-h"], "shell": "/bin/bash",
    "working_dir": "/tmp", "env": {"A": "1"}, "env_file": "/etc/env", "active": False,
    "overlap": "queue", "missed": "all", "missed_limit": 3, "deadline": "1h", "spread": "90s",
    "timeout": "5m", "stop_grace": "20s", "max_retries": 2, "retry_delay": "3s",
    "retry_backoff": 1.5, "retry_max_delay": "1h30m", "success_codes": [0, 3], "on_lost": "rerun",
    "priority": -4, "tags": ["a", "b"], "alarms": {"long": "2h", "silent": "1d"},
    "notify": {"on": "always", "to": ["me@example.com"], "after": 2}, "log_limit": 70_000,
    "keep": 9, "limits": {"nice": 5, "memory": 1 << 30, "cpu": "1m", "open_files": 64},
}  # fmt: skip


@pytest.mark.parametrize("definition", [
    pytest.param(WHOLE, id="every field set"),
    pytest.param({"name": "bare", "command": "true", "alarms": "off"}, id="hardly any"),
])  # fmt: skip
async def test_a_task_is_shown_as_it_was_defined(engine, definition):
    defined = TaskSpec.model_validate({**definition, "schedule": "weekly mon 09:00",
                                       "timezone": "Europe/Berlin"})  # fmt: skip
    made = await engine.create_task(spec_dict(defined))
    (listed,) = (await engine.tasks(TaskQuery())).rows

    shown = listed.model_dump(mode="json")
    assert {**{field: shown[field] for field in spec_dict(defined)}, "schedule": None} == {
        **spec_dict(defined), "schedule": None,
    }  # fmt: skip
    assert (listed.schedule, listed.own_timezone) == ("weekly mon 09:00", "Europe/Berlin")
    assert listed == made


async def test_what_the_screen_makes_is_the_screens(engine):
    FRONT.set("tui")
    made = await engine.create_task(NEW)

    assert made.origin == "screen"
    assert await audit(engine) == [(f"tui:{os.getuid()}", "create", "")]
    assert (await engine.revisions(1))[0].actor == f"tui:{os.getuid()}"


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"name": "a", "command": "x"}, "schedule", "schedule: is missing."),
        ({**NEW, "comand": "x"}, "comand", "comand: is not a known key. Did you mean command?"),
        ({**NEW, "schedule": "dayly"}, "schedule", "schedule: 'dayly' is not a schedule."),
        ({**NEW, "timeout": 30}, "timeout", "timeout: 30 is not a duration with a unit"),
        ({**NEW, "env": {"A B": "x"}}, "env", "env: 'A B' is not the name of a variable."),
        ({**NEW, "timezone": "Berlin"}, "timezone", "timezone: "),
        ({**NEW, "max_retries": -1}, "max_retries", "whole number from 0 to 100"),
        ({**NEW, "success_codes": [0, 999]}, "success_codes[1]", "from 0 to 255"),
        ({**NEW, "limits": {"nice": 99}}, "limits.nice", "from -20 to 19"),
        ({**NEW, "name": ""}, "name", "name: cannot be empty."),
        ({**NEW, "command": "a\0b"}, "command", "NUL"),
    ],
    ids=[
        "no schedule",
        "unknown key",
        "no such schedule",
        "no unit",
        "no variable",
        "no zone",
        "below the range",
        "above the range",
        "inside limits",
        "empty",
        "not for a command",
    ],
)
async def test_a_definition_that_cannot_be_is_refused_with_its_field(
    engine, fields, field, sentence
):
    with pytest.raises(ConfigError) as caught:
        await engine.create_task(fields)

    assert caught.value.field == field
    assert sentence in str(caught.value)
    assert (await engine.tasks(TaskQuery())).total == 0


async def test_a_name_is_used_once(engine):
    await engine.create_task(NEW)
    await engine.create_task({**NEW, "name": "other"})

    with pytest.raises(Conflict, match="The name 'new' is used by task 1") as made:
        await engine.create_task(NEW)
    with pytest.raises(Conflict, match="The name 'new' is used by task 1"):
        await engine.change_task(2, {"name": "new"})
    assert made.value.field == "name"


async def test_the_name_of_a_deleted_task_is_free(engine):
    await engine.create_task(NEW)
    await engine.delete_task(1)
    again = await engine.create_task(NEW)

    assert again.id == 2
    with pytest.raises(Conflict, match="used by task 2"):
        await engine.undo(1)


# --- change -------------------------------------------------------------------------------------


async def test_fields_are_set_and_the_others_stay(engine):
    await engine.create_task({**NEW, "timeout": "5m", "tags": ["a"]})
    changed = await engine.change_task(1, {"schedule": {"type": "daily", "config": '{"hour": 4}'}})

    assert (changed.version, changed.schedule, changed.timeout) == (2, "daily 04:00", "5m")
    assert changed.next_run_at.strftime("%H:%M") == "04:00"
    assert [(c.field, c.before, c.after) for c in (await engine.revisions(1))[0].changes] == [
        ("schedule", "daily 02:30", "daily 04:00")
    ]
    assert await audit(engine) == [
        (f"local:{os.getuid()}", "create", ""),
        (f"local:{os.getuid()}", "edit", "schedule"),
    ]


async def test_none_sets_a_field_back_to_its_default(engine):
    await engine.create_task({**NEW, "timeout": "5m", "stop_grace": "1m", "limits": {"nice": 5}})
    changed = await engine.change_task(1, {"timeout": None, "stop_grace": None, "limits": None})
    changes = (await engine.revisions(1))[0].changes

    assert (changed.timeout, changed.stop_grace, changed.limits["nice"]) == (None, "10s", None)
    assert [(c.field, c.before, c.after) for c in changes] == [
        ("timeout", "5m", None),
        ("stop_grace", "1m", "10s"),
        ("limits", {"nice": 5}, {}),
    ]
    with pytest.raises(ConfigError, match="name: is missing"):
        await engine.change_task(1, {"name": None})


async def test_what_changes_nothing_is_no_revision(engine):
    await engine.create_task(NEW)
    same = await engine.change_task(1, {"schedule": "daily  2:30", "retry_delay": "60s"})

    assert same.version == 1
    assert await kinds(engine, 1) == [(1, "created")]


async def test_of_two_who_edit_the_same_version_one_is_told(engine):
    await engine.create_task(NEW)
    edits = [engine.change_task(1, {"description": who}, if_version=1) for who in ("a", "b")]
    done = await asyncio.gather(*edits, return_exceptions=True)
    (refused,) = [one for one in done if isinstance(one, Conflict)]

    assert refused.version == 2
    assert str(refused) == (
        "'new' was changed meanwhile: it is at version 2, not 1. Read it again first."
    )
    assert (await engine.task(1)).version == 2


async def test_a_start_for_the_version_that_was_seen_never_starts_another(engine):
    await engine.create_task(NEW)
    await engine.change_task(1, {"description": "another"}, if_version=1)
    done = await asyncio.gather(
        engine.run_now(1, request_id="a", if_version=1),
        engine.test_task(1, request_id="b", if_version=1),
        engine.pause_task(1, if_version=1),
        engine.resume_task(1, if_version=1),
        return_exceptions=True,
    )  # fmt: skip

    assert [type(one) for one in done] == [Conflict] * 4
    assert (await engine.runs(RunQuery())).rows == []
    assert (await engine.task(1)).paused_at is None


async def test_a_new_name_keeps_number_history_and_the_planned_second(engine):
    made = await engine.create_task({**NEW, "schedule": "hourly :00", "spread": "50m"})
    await finished(engine, (await start(engine, "new")).id)
    await engine.change_task(1, {"name": "newer"})
    renamed = await engine.find_task("newer")

    assert (renamed.id, len(await history(engine, "newer"))) == (1, 1)
    (planned,) = await engine.fire_times(task_id=1, limit=1)
    assert planned.scheduled_for.minute == 0
    assert made.next_run_at is not None


async def test_an_interval_keeps_its_beat_unless_it_is_changed(engine):
    made = await engine.create_task({**NEW, "schedule": "every 1h"})
    edited = await engine.change_task(1, {"command": "false"})
    slower = await engine.change_task(1, {"schedule": "every 2h"})

    assert edited.next_run_at == made.next_run_at
    assert slower.next_run_at > made.next_run_at


# --- delete and undo ----------------------------------------------------------------------------


async def test_what_is_deleted_is_gone_and_keeps_its_history(engine):
    await engine.create_task(NEW)
    await finished(engine, (await start(engine, "new")).id)
    events = engine.events()
    seen = asyncio.create_task(_removed(events))
    await asyncio.sleep(0)
    gone = await engine.delete_task(1, if_version=1)

    assert (gone.version, gone.next_run_at) == (2, None)
    assert gone.archived_at is not None
    assert (await engine.tasks(TaskQuery())).total == 0
    assert (await engine.find_task("new", archived=True)).id == 1
    assert (await engine.run(1)).task_name == "new"
    assert await seen == 1
    for ask in (engine.task(1), engine.find_task("new"), engine.delete_task(1), start(engine, "1")):
        with pytest.raises(NotFound):
            await ask


async def _removed(events) -> int:
    async for event in events:
        if isinstance(event, TaskRemoved):
            return event.task_id
    raise AssertionError("the events ended")


async def test_runs_that_wait_end_with_their_task_and_what_runs_goes_on(bench, tmp_path):
    go = tmp_path / "go"
    bench.tasks(f"name: long\ncommand: {until_there(go)}\nschedule: manual\noverlap: queue")
    async with bench.engine() as engine:
        going = await start(engine, "long")
        await reached(engine, going.id, Status.RUNNING)
        waiting = await start(engine, "long")
        gone = await engine.delete_task(1)
        ended = await engine.run(waiting.id)

        assert (gone.queued, ended.status, ended.reason) == (
            0, Status.STOPPED, Reason.ARCHIVED,
        )  # fmt: skip
        go.touch()
        assert (await finished(engine, going.id)).status is Status.SUCCESS


async def test_undo_puts_back_what_was_before_the_newest_revision(engine):
    await engine.create_task(NEW)
    await engine.change_task(1, {"command": "false"})
    back = await engine.undo(1)
    forth = await engine.undo(1)

    assert (back.command, back.version) == ("true", 3)
    assert (forth.command, forth.version) == ("false", 4)
    assert (await audit(engine))[-1][1:] == ("undo", "revision 3")


async def test_undo_of_an_older_revision_leaves_the_later_ones_in_the_history(engine):
    await engine.create_task(NEW)
    for command in ("one", "two", "three"):
        await engine.change_task(1, {"command": command})
    revisions = await engine.revisions(1)
    back = await engine.undo(1, revision_id=revisions[1].id)

    assert back.command == "one"
    assert await kinds(engine, 1) == [(5, "changed"), (4, "changed"), (3, "changed"),
                                      (2, "changed"), (1, "created")]  # fmt: skip


async def test_undo_brings_a_deleted_task_back_and_takes_it_away_again(engine):
    await engine.create_task(NEW)
    await engine.delete_task(1)
    back = await engine.undo(1)
    gone = await engine.undo(1)

    assert (back.archived_at, back.name) == (None, "new")
    assert back.next_run_at.strftime("%H:%M") == "02:30"
    assert gone.archived_at is not None
    assert [kind for _, kind in await kinds(engine, 1)] == [
        "archived",
        "restored",
        "archived",
        "created",
    ]


async def test_there_is_nothing_to_undo(engine):
    await engine.create_task(NEW)
    with pytest.raises(Refused, match="Before revision 1 there was no 'new'"):
        await engine.undo(1)

    await engine.change_task(1, {"command": "false"})
    first_edit = (await engine.revisions(1))[0].id
    await engine.undo(1)
    with pytest.raises(Refused, match=f"as it was before revision {first_edit}"):
        await engine.undo(1, revision_id=first_edit)


@pytest.mark.parametrize("revision", [99, 2], ids=["of nobody", "of another task"])
async def test_a_revision_that_is_not_this_tasks_is_not_found(engine, revision):
    await engine.create_task(NEW)
    await engine.create_task({**NEW, "name": "other"})

    with pytest.raises(NotFound, match=f"There is no revision '{revision}'"):
        await engine.undo(1, revision_id=revision)


async def test_no_slot_is_caught_up_across_an_edit(engine):
    await engine.create_task({**NEW, "schedule": "every 1s", "missed": "all"})
    await engine.change_task(1, {"active": False})
    count = len(await history(engine, "new"))
    planned = await engine.change_task(1, {"active": True, "schedule": "every 1h"})

    assert planned.next_run_at is not None
    assert len(await history(engine, "new")) == count


async def test_edits_are_there_after_a_restart(bench):
    async with bench.engine() as engine:
        await engine.create_task(NEW)
        await engine.change_task(1, {"timeout": "5m"})
    async with bench.engine() as engine:
        task = await engine.task(1)
        undone = await engine.undo(1)

    assert (task.timeout, undone.timeout) == ("5m", None)


async def test_what_fails_after_its_task_was_deleted_is_not_tried_again(bench, tmp_path):
    go = tmp_path / "go"
    bench.tasks(
        f"name: flaky\ncommand: {until_there(go)}; exit 1\nschedule: manual\nmax_retries: 5\n"
        "retry_delay: 0s"
    )
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "flaky")).id, Status.RUNNING)
        await engine.delete_task(run.task_id)
        go.touch()
        ended = await finished(engine, run.id)

    assert (ended.status, ended.attempts) == (Status.FAILED, 1)


async def test_a_number_that_no_database_can_hold_is_refused(bench):
    async with bench.engine() as engine:
        for field, value in (("keep", 10**30), ("limits", {"memory": 10**30})):
            spec = {"name": "huge", "command": "true", "schedule": "manual", field: value}
            with pytest.raises(ConfigError, match=field):
                await engine.create_task(spec)
