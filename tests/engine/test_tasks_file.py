"""tasks.yaml while it lives: an entry is applied when its meaning has changed."""

from __future__ import annotations

import sqlite3

import pytest

from cronpilot.client.messages import RunQuery, TaskQuery
from cronpilot.domain.run import Reason, Status
from cronpilot.engine import dispatcher
from cronpilot.engine.offline import OfflineClient
from cronpilot.errors import Conflict, InvalidFile, NoEngine
from cronpilot.runner.messages import AttemptKey, NeverStarted
from cronpilot.storage import meta
from tests.engine.conftest import LONG, finished, history, reached, start

ONE = "name: one\ncommand: 'true'\nschedule: daily 02:30"
TWO = "name: two\ncommand: 'true'\nschedule: manual"


async def names(engine) -> list[str]:
    return [row.name for row in (await engine.tasks(TaskQuery())).rows]


async def test_ids_begin_at_one_in_the_order_of_the_file(bench):
    bench.tasks(TWO, ONE)
    async with bench.engine() as engine:
        rows = (await engine.tasks(TaskQuery())).rows

    assert [(row.id, row.name) for row in rows] == [(1, "two"), (2, "one")]


async def test_nothing_is_applied_when_nothing_changed(bench):
    bench.tasks(ONE)
    async with bench.engine() as engine:
        bench.tasks('name:   one   # a comment\ncommand: "true"\nschedule: daily  2:30')
        result = await engine.reload()
        task = await engine.find_task("one")

    assert (result.added, result.changed, result.archived) == ([], [], [])
    assert task.version == 1


async def test_a_changed_entry_is_a_new_version_with_the_same_history(bench):
    bench.tasks(TWO)
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "two")).id)
        bench.tasks(TWO + "\ntimeout: 5m")
        result = await engine.reload()
        task = await engine.find_task("two")

        assert result.changed == ["two"]
        assert (task.id, task.version, task.timeout) == (1, 2, "5m")
        assert [row.id for row in await history(engine, "two")] == [run.id]


async def test_only_a_change_of_schedule_plans_anew(bench):
    bench.tasks("name: tick\ncommand: 'true'\nschedule: every 1h")
    async with bench.engine() as engine:
        before = (await engine.find_task("tick")).next_run_at
        bench.tasks("name: tick\ncommand: 'false'\nschedule: every 1h")
        await engine.reload()
        assert (await engine.find_task("tick")).next_run_at == before

        bench.tasks("name: tick\ncommand: 'false'\nschedule: every 2h")
        await engine.reload()
        assert (await engine.find_task("tick")).next_run_at > before


async def test_inactive_plans_nothing(bench):
    bench.tasks(ONE + "\nactive: false")
    async with bench.engine() as engine:
        task = await engine.find_task("one")
        status = await engine.status()

    assert (task.active, task.next_run_at) == (False, None)
    assert (status.total_tasks, status.active_tasks, status.scheduled_tasks) == (1, 0, 0)


async def test_an_entry_that_is_gone_is_archived_and_comes_back_with_its_id(bench):
    bench.tasks(ONE, TWO)
    async with bench.engine() as engine:
        bench.tasks(ONE)
        gone = await engine.reload()
        after = await names(engine)
        bench.tasks(ONE, TWO)
        back = await engine.reload()
        task = await engine.find_task("two")

    assert (gone.archived, after) == (["two"], ["one"])
    assert (back.added, task.id) == (["two"], 2)


async def test_of_a_task_that_is_gone_nothing_starts_any_more_and_what_runs_goes_on(bench):
    gone = (
        "name: queued\ncommand: 'true'\nschedule: manual\npool: one",
        "name: retried\ncommand: exit 3\nschedule: manual\nmax_retries: 1\nretry_delay: 1h",
        "name: running\ncommand: sleep 60\nschedule: manual",
    )
    blocker = "name: blocker\ncommand: sleep 60\nschedule: manual\npool: one"
    bench.tasks(blocker, *gone)
    async with bench.engine(pools={"one": 1}) as engine:
        for name in ("blocker", "running"):
            await reached(engine, (await start(engine, name)).id, Status.RUNNING)
        queued = await start(engine, "queued")
        retried = await reached(engine, (await start(engine, "retried")).id, Status.RETRYING)
        bench.tasks(blocker)
        await engine.reload()
        rows = {row.task_name: row for row in (await engine.runs(RunQuery())).rows}
        why = [(await engine.why(run.task_id)).because[0] for run in (queued, retried)]
        failed = await engine.attempts(retried.id)

    assert {name: (row.status, row.reason) for name, row in rows.items()} == {
        "blocker": (Status.RUNNING, None),
        "running": (Status.RUNNING, None),
        "queued": (Status.STOPPED, Reason.ARCHIVED),
        "retried": (Status.STOPPED, Reason.ARCHIVED),
    }
    assert why == [
        f"Its last run, {queued.id}, was not started: its task was taken away.",
        f"Its last run, {retried.id}, was not tried again: its task was taken away.",
    ]
    assert (len(failed), rows["retried"].exit_code) == (1, 3)


async def test_a_start_that_was_refused_is_not_made_up_for_when_its_task_is_gone(
    bench, monkeypatch
):
    bench.tasks("name: it\ncommand: 'true'\nschedule: manual")
    async with bench.engine() as engine:
        given = []
        monkeypatch.setattr(engine._executor, "start", given.append)
        monkeypatch.setattr(dispatcher, "UNHEARD_S", 2 * LONG)
        run = await reached(engine, (await start(engine, "it")).id, Status.STARTING)
        bench.tasks()
        await engine.reload()
        engine._dispatcher.report(NeverStarted(AttemptKey(run.id, 1), "no process", retry=True))
        over = await finished(engine, run.id)

    assert (over.status, over.reason) == (Status.STOPPED, Reason.ARCHIVED)
    assert len(given) == 1


async def test_a_renamed_task_keeps_its_history(bench):
    bench.tasks(TWO)
    async with bench.engine() as engine:
        await finished(engine, (await start(engine, "two")).id)
        bench.tasks("name: report\nwas: two\ncommand: 'true'\nschedule: manual")
        await engine.reload()

        assert await names(engine) == ["report"]
        assert len(await history(engine, "report")) == 1


async def test_a_bad_file_changes_nothing_and_is_said(bench):
    bench.tasks(ONE, TWO)
    async with bench.engine() as engine:
        bench.tasks_file.write_text("tasks:\n  - name: one\n    comand: x\n")
        with pytest.raises(InvalidFile) as caught:
            await engine.reload()
        run = await finished(engine, (await start(engine, "two")).id)

        assert "tasks[0].comand" in str(caught.value)
        assert "command" in str(caught.value)
        assert await names(engine) == ["one", "two"]
        assert run.status is Status.SUCCESS


async def test_an_engine_starts_on_a_bad_file_with_what_it_knew(bench):
    bench.tasks(ONE)
    async with bench.engine():
        pass
    bench.tasks_file.write_text("tasks: [")
    async with bench.engine() as engine:
        banners = (await engine.status()).banners
        known = await names(engine)

    assert known == ["one"]
    assert [banner.key for banner in banners] == ["tasks.yaml"]
    assert str(bench.tasks_file) in banners[0].text


async def test_a_missing_file_archives_nothing(bench):
    bench.tasks(ONE)
    async with bench.engine():
        pass
    bench.tasks_file.unlink()
    async with bench.engine() as engine:
        assert await names(engine) == ["one"]
        assert (await engine.status()).banners[0].key == "tasks.yaml"


async def test_another_file_archives_nothing_of_the_first(bench, tmp_path):
    bench.tasks(ONE)
    async with bench.engine():
        pass
    bench.tasks_file = tmp_path / "other.yaml"
    bench.tasks(TWO, ONE)
    async with bench.engine() as engine:
        found = await names(engine)
        banner = (await engine.status()).banners[0]
        remembered = await engine._reader.read(lambda c: meta.get(c, meta.TASKS_FILE))

    assert found == ["one", "two"]
    assert "'one' is used by a task" in banner.text
    assert remembered == str(bench.tasks_file)


# --- edited here, or there ----------------------------------------------------------------------


async def test_an_edit_stays_while_its_entry_says_nothing_new(bench):
    bench.tasks(ONE, TWO)
    async with bench.engine() as engine:
        await engine.change_task(1, {"timeout": "5m"})
        bench.tasks(ONE, TWO + "\ntimeout: 9m")
        result = await engine.reload()
        one, two = (await engine.tasks(TaskQuery())).rows

    assert (result.changed, result.overridden) == (["two"], [])
    assert (one.timeout, one.version, one.differs_from_file) == ("5m", 2, True)
    assert (two.timeout, two.differs_from_file) == ("9m", False)


async def test_an_edit_that_is_taken_back_differs_no_more(bench):
    bench.tasks(ONE)
    async with bench.engine() as engine:
        edited = await engine.change_task(1, {"timeout": "5m"})
        same = await engine.change_task(1, {"timeout": None})

    assert (edited.differs_from_file, same.differs_from_file) == (True, False)


async def test_a_changed_entry_wins_over_an_edit_which_is_kept_as_a_revision(bench):
    bench.tasks(ONE)
    async with bench.engine() as engine:
        await engine.change_task(1, {"timeout": "5m", "description": "by hand"})
        bench.tasks(ONE + "\ntimeout: 9m")
        result = await engine.reload()
        task = await engine.task(1)
        (banner,) = (await engine.status()).banners
        newest = (await engine.revisions(1))[0]
        undone = await engine.undo(1)

    assert (result.changed, result.overridden) == (["one"], ["one"])
    assert (task.timeout, task.description, task.differs_from_file) == ("9m", "", False)
    assert "has changed 'one', edited here before: the file won." in banner.text
    assert banner.hint == "The edit is kept: cronpilot undo 'one'"
    assert (newest.actor, newest.version) == ("tasks.yaml", 3)
    assert (undone.timeout, undone.description, undone.differs_from_file) == ("5m", "by hand", True)


async def test_a_file_that_follows_an_edit_makes_no_revision(bench):
    bench.tasks(ONE)
    async with bench.engine() as engine:
        await engine.change_task(1, {"timeout": "5m"})
        bench.tasks(ONE + "\ntimeout: 5m")
        result = await engine.reload()
        task = await engine.task(1)

    assert (result.changed, result.overridden) == ([], [])
    assert (task.version, task.differs_from_file) == (2, False)


async def test_what_was_deleted_here_stays_deleted_until_its_entry_changes(bench):
    bench.tasks(ONE, TWO)
    async with bench.engine() as engine:
        await engine.delete_task(2)
        await engine.reload()
    async with bench.engine() as engine:
        after_restart = await names(engine)
        bench.tasks(ONE, TWO + "\ntimeout: 5m")
        result = await engine.reload()
        back = await engine.find_task("two")

    assert after_restart == ["one"]
    assert (result.added, back.id, back.timeout) == (["two"], 2, "5m")


async def test_what_was_deleted_here_and_left_the_file_comes_back_with_a_new_entry(bench):
    bench.tasks(ONE, TWO)
    async with bench.engine() as engine:
        await engine.delete_task(2)
        bench.tasks(ONE)
        await engine.reload()
        bench.tasks(ONE, TWO)
        await engine.reload()
        unchanged = await names(engine)
        bench.tasks(ONE, TWO + "\nactive: false")
        await engine.reload()

        assert unchanged == ["one"]
        assert (await engine.find_task("two")).id == 2


async def test_a_name_that_is_used_by_a_task_made_by_hand_is_refused(bench):
    async with bench.engine() as engine:
        made = await engine.create_task({"name": "one", "command": "mine", "schedule": "manual"})
        bench.tasks(TWO, ONE)
        result = await engine.reload()
        (banner,) = (await engine.status()).banners
        again = await engine.reload()

        assert result.added == ["two"]
        assert result.refused == again.refused == [banner.text]
        assert f"{bench.tasks_file}:6: the name 'one' is used by a task" in banner.text
        assert (await engine.task(made.id)).command == "mine"

        await engine.delete_task(made.id)
        assert (await engine.reload()).added == ["one"]
        assert (await engine.status()).banners == []


async def test_a_task_made_by_hand_that_is_written_into_the_file_is_the_files(bench):
    async with bench.engine() as engine:
        made = await engine.create_task({"name": "one", "command": "true", "schedule": "manual"})
        bench.tasks_file.write_text(await engine.export())
        result = await engine.reload()
        adopted = await engine.task(made.id)
        bench.tasks()
        gone = await engine.reload()

    assert (result.refused, result.added, result.changed) == ([], [], [])
    assert (adopted.version, adopted.differs_from_file) == (1, False)
    assert gone.archived == ["one"]


async def test_a_task_renamed_here_is_still_that_entrys(bench):
    bench.tasks(ONE, TWO)
    async with bench.engine() as engine:
        await engine.change_task(2, {"name": "zwei"})
        unchanged = await engine.reload()
        renamed = await names(engine)
        bench.tasks(ONE, TWO + "\ntimeout: 5m")
        await engine.reload()

        assert (unchanged.added, unchanged.archived) == ([], [])
        assert renamed == ["one", "zwei"]
        assert (await engine.find_task("two")).id == 2


async def test_a_file_that_follows_a_rename_keeps_the_task(bench):
    bench.tasks(TWO)
    async with bench.engine() as engine:
        await engine.change_task(1, {"name": "zwei"})
        bench.tasks_file.write_text(await engine.export())
        result = await engine.reload()
        task = await engine.find_task("zwei")

    assert (result.added, result.archived, result.refused) == ([], [], [])
    assert (task.id, task.differs_from_file) == (1, False)


async def test_two_entries_swap_their_names_without_harm(bench):
    bench.tasks(
        "name: a\ncommand: one\nschedule: manual", "name: b\ncommand: two\nschedule: manual"
    )
    async with bench.engine() as engine:
        bench.tasks(
            "name: b\nwas: a\ncommand: one\nschedule: manual",
            "name: a\nwas: b\ncommand: two\nschedule: manual",
        )
        result = await engine.reload()
        rows = (await engine.tasks(TaskQuery())).rows
        again = await engine.reload()

    assert result.refused == []
    assert [(row.name, row.command) for row in rows] == [("a", "two"), ("b", "one")]
    assert (again.changed, again.archived) == ([], [])


async def test_pause_outlives_a_changed_entry(bench):
    bench.tasks(ONE)
    async with bench.engine() as engine:
        await engine.pause_task(1)
        bench.tasks(ONE + "\ntimeout: 5m")
        await engine.reload()

        assert (await engine.task(1)).paused_at is not None


# --- another file, and none ---------------------------------------------------------------------


async def test_a_yes_lets_another_file_take_over(bench, tmp_path):
    bench.tasks(ONE, TWO)
    async with bench.engine():
        pass
    bench.tasks_file = tmp_path / "other.yaml"
    bench.tasks("name: three\ncommand: 'true'\nschedule: manual", ONE + "\ntimeout: 5m")
    async with bench.engine() as engine:
        before = (await names(engine), [b.text for b in (await engine.status()).banners])
    async with bench.engine(take_over=True) as engine:
        after = (await names(engine), (await engine.status()).banners)
        one = await engine.find_task("one")

    assert before[0] == ["one", "two", "three"]
    assert f"Tasks of another tasks file are still here: 2 of {tmp_path}/tasks.yaml." in before[1]
    assert after == (["one", "three"], [])
    assert (one.id, one.timeout) == (1, "5m")


async def test_the_former_file_in_force_again_finds_its_tasks(bench, tmp_path):
    bench.tasks(ONE, TWO)
    async with bench.engine():
        pass
    first, bench.tasks_file = bench.tasks_file, tmp_path / "other.yaml"
    bench.tasks("name: three\ncommand: 'true'\nschedule: manual")
    async with bench.engine():
        pass
    bench.tasks_file = first
    bench.tasks(ONE)
    async with bench.engine() as engine:
        assert await names(engine) == ["one", "three"]


async def test_a_blank_file_archives_nothing_and_an_empty_list_everything(bench):
    bench.tasks(ONE)
    async with bench.engine() as engine:
        bench.tasks_file.write_text("")
        with pytest.raises(InvalidFile, match=r"is empty.*write tasks: \[\]"):
            await engine.reload()
        kept = await names(engine)
        bench.tasks()
        result = await engine.reload()

    assert kept == ["one"]
    assert result.archived == ["one"]


# --- names that look the same --------------------------------------------------------------------

COMPOSED, APART = "caf\u00e9", "cafe\u0301"  # NFC, NFD
CAFE = "name: {}\ncommand: 'true'\nschedule: manual"


async def test_a_name_is_one_name_in_whichever_form_it_is_typed(bench):
    bench.tasks(CAFE.format(APART))
    async with bench.engine() as engine:
        found = [await engine.find_task(name) for name in (COMPOSED, APART)]
        listed = (await engine.tasks(TaskQuery(text=APART))).total
        with pytest.raises(Conflict):
            await engine.create_task({"name": APART, "command": "x", "schedule": "manual"})
        bench.tasks(CAFE.format(COMPOSED))
        result = await engine.reload()

    assert [(task.id, task.name) for task in found] == [(1, COMPOSED), (1, COMPOSED)]
    assert listed == 1
    assert (result.added, result.changed, result.archived) == ([], [], [])


async def test_two_entries_that_look_the_same_are_refused(bench):
    bench.tasks(ONE)
    async with bench.engine() as engine:
        bench.tasks(ONE, CAFE.format(COMPOSED), CAFE.format(APART))
        with pytest.raises(InvalidFile, match="is also the name of the task"):
            await engine.reload()


async def test_a_name_that_an_earlier_version_kept_as_it_was_typed_is_found_and_put_right(bench):
    bench.tasks(CAFE.format(APART))
    async with bench.engine():
        pass
    connection = sqlite3.connect(bench.database)
    connection.execute("UPDATE task SET name = ?1, entry_name = ?1, entry_hash = 'then',"
                       " spec_hash = 'then'", (APART,))  # fmt: skip
    connection.commit()
    connection.close()
    offline = OfflineClient(bench.database, bench.state_dir, max_workers=1, timezone="UTC")
    found = await offline.find_task(COMPOSED)
    async with bench.engine() as engine:
        task = await engine.find_task(COMPOSED)
        total = (await engine.tasks(TaskQuery())).total

    assert found.id == 1
    assert (task.id, task.name, total) == (1, COMPOSED, 1)


# --- against the file ---------------------------------------------------------------------------


async def test_differences_are_told_both_ways(bench):
    bench.tasks(ONE, TWO, "name: gone\ncommand: 'true'\nschedule: manual")
    async with bench.engine() as engine:
        assert await engine.differences() == []

        await engine.change_task(1, {"timeout": "5m"})
        await engine.delete_task(3)
        await engine.create_task({"name": "mine", "command": "x", "schedule": "manual"})
        bench.tasks(ONE, TWO, "name: gone\ncommand: 'true'\nschedule: manual",
                    "name: new\ncommand: 'true'\nschedule: manual")  # fmt: skip
        found = await engine.differences()

    assert [(one.task_name, one.kind) for one in found] == [
        ("one", "differs"),
        ("gone", "deleted here"),
        ("new", "only in the file"),
        ("mine", "only here"),
    ]
    assert [(c.field, c.before, c.after) for c in found[0].changes] == [("timeout", None, "5m")]


async def test_what_is_exported_is_what_is_in_force(bench):
    bench.tasks(ONE, TWO)
    async with bench.engine() as engine:
        await engine.change_task(1, {"command": "set -e\nmake: all\n"})
        bench.tasks_file.write_text(await engine.export())

        assert "    command: |\n      set -e\n      make: all\n" in bench.tasks_file.read_text()
        assert await engine.differences() == []
        assert (await engine.reload()).changed == []


async def test_without_an_engine_definitions_can_be_read_and_not_changed(bench):
    bench.tasks(ONE)
    async with bench.engine() as engine:
        await engine.change_task(1, {"timeout": "5m"})
        exported = await engine.export()
    offline = OfflineClient(
        bench.database, bench.state_dir, max_workers=1, timezone="UTC",
        tasks_file=bench.tasks_file,
    )  # fmt: skip
    try:
        assert await offline.export() == exported
        assert [one.kind for one in await offline.differences()] == ["differs"]
        assert [one.version for one in await offline.revisions(1)] == [2, 1]
        for change in (offline.undo(1), offline.delete_task(1), offline.create_task({}),
                       offline.change_task(1, {})):  # fmt: skip
            with pytest.raises(NoEngine):
                await change
    finally:
        await offline.close()


async def test_hostile_names_are_names(bench):
    bench.tasks(
        "name: ../../etc/x\ncommand: 'true'\nschedule: manual",
        "name: '[/]'\ncommand: 'true'\nschedule: manual",
        "name: \"\\e[31mred\\a\"\ncommand: 'true'\nschedule: manual",
    )
    async with bench.engine() as engine:
        runs = [await finished(engine, (await start(engine, name)).id)
                for name in ("../../etc/x", "[/]", "\x1b[31mred\a")]  # fmt: skip

    assert [run.status for run in runs] == [Status.SUCCESS] * 3
    assert all(str(bench.state_dir / "logs") in run.log_path for run in runs)
    assert [run.log_path.rpartition("/logs/")[2] for run in runs] == [
        "1/1.log",
        "2/2.log",
        "3/3.log",
    ]
