"""Going back to a copy of the database: nothing is started twice, nothing is lost on the way."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cronpilot.cli.maintenance import _tell_restored
from cronpilot.domain.access import Stay
from cronpilot.domain.run import Reason, Status
from cronpilot.engine import restoring
from cronpilot.engine.restoring import Settled
from cronpilot.errors import Refused, StorageProblem, UsageProblem
from cronpilot.maintenance.restore import Restored, restore
from cronpilot.maintenance.stop import stop_without_engine
from cronpilot.storage.lock import DatabaseLock
from tests.engine.conftest import finished, history, reached, start

QUICK = "name: quick\ncommand: echo ran\nschedule: manual"
SLEEPER = "name: slow\ncommand: sleep 300\nschedule: manual\noverlap: queue\nstop_grace: 1s"


def rows(path: Path, query: str) -> list[tuple]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy.db"


async def test_the_copy_takes_the_place_and_the_database_of_before_is_kept(bench, settings, copy):
    bench.tasks(QUICK)
    async with bench.engine() as engine:
        engine.accounts.sessions.keep(Stay("hash", "anna", NOON, NOON))
        before = await finished(engine, (await start(engine, "quick")).id)
        await engine.backup(str(copy))
        after = await finished(engine, (await start(engine, "quick")).id)

    told: list[str] = []
    done = restore(settings, copy, told.append)

    assert told == [f"Copying and checking {copy} (0 MB) ...", "Settling what was open in it ..."]
    assert [row[0] for row in rows(done.kept, "SELECT id FROM run ORDER BY id")] == [
        before.id,
        after.id,
    ]
    assert (done.database.stat().st_mode & 0o777, done.kept.stat().st_mode & 0o777) == (0o600,) * 2
    assert [path.name for path in bench.state_dir.glob("cronpilot.db*restoring*")] == []
    assert rows(copy, "SELECT key FROM session") == [("hash",)]
    assert rows(done.database, "SELECT key FROM session") == []  # it may have ended since
    async with bench.engine() as engine:
        assert [run.id for run in await history(engine, "quick")] == [before.id]


async def test_no_id_is_given_out_twice_so_no_log_is_written_on(bench, settings, copy):
    bench.tasks(QUICK)
    async with bench.engine() as engine:
        await engine.backup(str(copy))
        old = await finished(engine, (await start(engine, "quick")).id)
    restore(settings, copy)

    async with bench.engine() as engine:
        new = await finished(engine, (await start(engine, "quick")).id)

    assert new.id > old.id
    assert Path(old.log_path).read_text() == "ran\n"


async def test_what_is_open_in_the_copy_is_lost_and_not_started_again(bench, settings, copy):
    bench.tasks(SLEEPER)
    async with bench.engine() as engine:
        first = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        second = await start(engine, "slow")
        await engine.backup(str(copy))
        for run in (second, first):
            await engine.stop_run(run.id)
            await finished(engine, run.id)

    done = restore(settings, copy)

    assert (done.settled.lost_runs, done.settled.missed_tasks) == (2, 0)
    async with bench.engine() as engine:
        runs = await history(engine, "slow")
        assert (await engine.find_task("slow")).runs == 2
    assert [(run.id, run.status, run.reason) for run in runs] == [
        (first.id, Status.LOST, Reason.RESTORED), (second.id, Status.LOST, Reason.RESTORED),
    ]  # fmt: skip


async def test_a_run_whose_record_is_there_still_gets_its_true_end(bench, settings, copy):
    bench.tasks(SLEEPER)
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        await engine.backup(str(copy))
    await asyncio.to_thread(
        stop_without_engine, settings, [run.id], everything=False, signal="TERM"
    )

    assert restore(settings, copy).settled.lost_runs == 0

    async with bench.engine() as engine:
        ended = await finished(engine, run.id)
    assert (ended.status, ended.reason) == (Status.STOPPED, Reason.USER)


async def test_slots_that_passed_since_are_one_missed_row_and_are_not_made_up_for(
    bench, settings, copy
):
    bench.tasks("name: tick\ncommand: 'true'\nschedule: '* * * * *'\nmissed: all")
    async with bench.engine() as engine:
        await engine.pause_scheduler()
        due = (await engine.find_task("tick")).next_run_at
        await engine.backup(str(copy))
    connection = sqlite3.connect(copy)
    with connection:  # as if the copy were an hour old, and nothing had been paused
        connection.execute("UPDATE task SET next_run_at = next_run_at - 3600000000")
        connection.execute("DELETE FROM setting WHERE key = 'scheduler_paused_at'")
        connection.execute("DELETE FROM run")
    connection.close()

    done = restore(settings, copy)

    assert done.settled.missed_tasks == 1
    found = rows(done.database, "SELECT status, reason, folded_count FROM run")
    assert [row[:2] for row in found] == [("missed", "restored")]
    assert found[0][2] in (60, 61)
    assert rows(done.database, "SELECT next_run_at > ? FROM task".replace("?", str(_us(due))))


def _us(instant) -> int:
    return round(instant.timestamp() * 1e6) - 1


async def test_it_is_refused_while_commands_run_or_an_engine_does(bench, settings, copy):
    bench.tasks(SLEEPER)
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        await engine.backup(str(copy))

    with pytest.raises(Refused, match=rf"Commands still run \(run {run.id}\)") as running:
        restore(settings, copy)
    lock = DatabaseLock(settings.database)
    assert lock.take()
    with pytest.raises(Refused, match="An engine runs") as engine_runs:
        restore(settings, copy)
    lock.release()

    assert running.value.hint == "Stop them first: cronpilot stop --all"
    assert engine_runs.value.hint == "End it first: cronpilot shutdown"
    await asyncio.to_thread(stop_without_engine, settings, [], everything=True, signal="KILL")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"not a database at all" * 99, "cannot be restored", id="no database"),
        pytest.param("CREATE TABLE x (y)", "database of another program", id="another program's"),
        pytest.param(b"", "is an empty database", id="empty"),
    ],
)
async def test_what_is_no_copy_of_ours_changes_nothing(bench, settings, copy, content, words):
    bench.tasks(QUICK)
    async with bench.engine():
        pass
    before = settings.database.read_bytes()
    if isinstance(content, bytes):
        copy.write_bytes(content)
    else:
        connection = sqlite3.connect(copy)
        connection.execute(content)
        connection.commit()
        connection.close()

    with pytest.raises(StorageProblem, match=words):
        restore(settings, copy)

    assert settings.database.read_bytes() == before
    assert list(bench.state_dir.glob("cronpilot.db.*")) == [bench.state_dir / "cronpilot.db.lock"]


async def test_a_damaged_copy_and_one_of_a_newer_version_change_nothing(bench, settings, copy):
    bench.tasks(*(QUICK.replace("quick", f"quick {n}") for n in range(300)))
    async with bench.engine() as engine:
        await engine.backup(str(copy))
    before = settings.database.read_bytes()
    newer = copy.with_name("newer.db")
    newer.write_bytes(copy.read_bytes())
    connection = sqlite3.connect(newer)
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with copy.open("r+b") as file:
        file.seek(8 * 4096)
        file.write(os.urandom(20 * 4096))

    with pytest.raises(StorageProblem, match=r"damaged|malformed"):
        restore(settings, copy)
    with pytest.raises(StorageProblem, match="newer CronPilot"):
        restore(settings, newer)

    assert settings.database.read_bytes() == before


def test_a_file_that_is_not_there_and_the_database_itself_are_refused(bench, settings):
    with pytest.raises(UsageProblem, match="There is no file"):
        restore(settings, bench.state_dir / "no.db")
    settings.database.touch()
    with pytest.raises(UsageProblem, match="the database itself"):
        restore(settings, settings.database)


async def test_a_damaged_database_of_before_is_kept_as_it_is(bench, settings, copy):
    bench.tasks(QUICK)
    async with bench.engine() as engine:
        await engine.backup(str(copy))
    settings.database.write_bytes(b"rubbish" * 1000)

    done = restore(settings, copy)

    assert done.kept.read_bytes() == b"rubbish" * 1000
    async with bench.engine() as engine:
        assert (await engine.find_task("quick")).name == "quick"


async def test_a_crash_before_the_end_leaves_the_database_of_before(
    bench, settings, copy, monkeypatch
):
    bench.tasks(QUICK)
    async with bench.engine() as engine:
        await engine.backup(str(copy))
    before = rows(settings.database, "SELECT * FROM audit")

    def die(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(restoring, "reserve", die)
        restore(settings, copy)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("cronpilot.storage.backups.put_in_place", die)
        restore(settings, copy)

    assert rows(settings.database, "SELECT * FROM audit") == before
    assert restore(settings, copy).settled.tasks == 1


@pytest.mark.parametrize(
    ("settled", "said"),
    [
        pytest.param(
            Settled(tasks=1, lost_runs=1, missed_tasks=1),
            "Restored copy.db: 1 task.\nOpen in the copy, and lost: 1 run.\n"
            "Slots since then are missed, and not made up for: of 1 task.\nStart: cronpilot\n",
            id="one of each",
        ),
        pytest.param(Settled(tasks=2, lost_runs=0, missed_tasks=0),
                     "Restored copy.db: 2 tasks.\nStart: cronpilot\n", id="nothing was open"),
    ],
)  # fmt: skip
def test_what_a_restore_did_is_told(capsys, settled, said):
    _tell_restored(Path("copy.db"), Restored(Path("cronpilot.db"), None, settled))

    assert capsys.readouterr().out == said
