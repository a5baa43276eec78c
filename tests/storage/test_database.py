"""One writer, many readers, and what a failure means."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest
from sqlalchemy import text

from cronpilot.errors import StorageProblem
from cronpilot.storage import meta
from cronpilot.storage.database import Connection, Database, after_commit

from ..patience import PATIENCE_S


def put(key: str, value: str):
    return lambda connection: meta.put(connection, key, value)


def get(database: Database, key: str) -> str | None:
    return database.read(lambda connection: meta.get(connection, key))


def test_what_was_answered_is_on_disk(database: Database):
    database.write(put("colour", "green")).result()

    assert get(database, "colour") == "green"


def test_full_synchronous_and_foreign_keys_are_on(database: Database):
    def pragmas(connection: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in names]

    assert database.write(pragmas).result() == ["wal", 2, 1]


def test_a_reader_cannot_write(database: Database):
    with pytest.raises(StorageProblem):
        database.read(put("colour", "red"))


def hold_writer(database: Database) -> tuple[threading.Event, Future[None]]:
    """Keep the writer busy, so that what follows shares one transaction."""
    go = threading.Event()
    entered = threading.Event()

    def wait(_connection: Connection) -> None:
        entered.set()
        go.wait(PATIENCE_S)

    future = database.write(wait)
    entered.wait(PATIENCE_S)
    return go, future


def test_closures_that_wait_together_share_one_commit(database: Database):
    def frames(connection: Connection) -> int:
        return connection.execute(text("SELECT count(*) FROM setting")).scalar_one()

    go, _ = hold_writer(database)
    futures = [database.write(put(f"key-{n}", "1")) for n in range(50)]
    seen = [database.write(frames)]
    go.set()

    assert [future.result() for future in futures] == [None] * 50
    assert seen[0].result() == 50


def test_a_closure_that_fails_undoes_its_own_writes_and_nobody_elses(database: Database):
    def fail(connection: Connection) -> None:
        meta.put(connection, "bad", "1")
        raise ValueError("no")

    go, _ = hold_writer(database)
    first, bad, last = (
        database.write(put("first", "1")), database.write(fail), database.write(put("last", "1")),
    )  # fmt: skip
    go.set()

    first.result()
    last.result()
    with pytest.raises(ValueError, match="no"):
        bad.result()
    assert (get(database, "first"), get(database, "bad"), get(database, "last")) == ("1", None, "1")


def test_what_follows_a_commit_may_fail_and_writes_go_on(database: Database, caplog):
    def fail() -> None:
        raise RuntimeError("a bug of ours")

    def write(connection: Connection) -> None:
        put("colour", "green")(connection)
        after_commit(connection, fail)

    database.write(write).result(PATIENCE_S)
    database.write(put("shape", "round")).result(PATIENCE_S)

    assert (get(database, "colour"), get(database, "shape")) == ("green", "round")
    assert "What was to follow a commit failed" in caplog.text


def test_a_write_that_was_cancelled_in_time_never_happens(database: Database):
    go, _ = hold_writer(database)
    future = database.write(put("colour", "red"))
    assert future.cancel()
    go.set()
    database.write(put("shape", "round")).result()

    assert get(database, "colour") is None


def test_closing_finishes_the_writes_that_wait(path: Path):
    database = Database(path)
    go, _ = hold_writer(database)
    future = database.write(put("colour", "green"))
    threading.Timer(0.05, go.set).start()
    database.close()

    assert future.done()
    with pytest.raises(StorageProblem):
        database.write(put("colour", "red"))


def test_a_file_locked_by_another_program_is_said_in_words(path: Path, monkeypatch):
    monkeypatch.setattr("cronpilot.storage.database.BUSY_TIMEOUT_MS", 50)
    database = Database(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(StorageProblem, match="locked by another program"):
            database.write(put("colour", "green")).result()
    finally:
        other.close()
    database.write(put("colour", "green")).result()
    assert get(database, "colour") == "green"
    database.close()


def test_a_backup_holds_what_is_committed_and_can_be_opened(database: Database, tmp_path: Path):
    database.write(put("colour", "green")).result()

    database.backup(tmp_path / "copy.db")

    copy = Database(tmp_path / "copy.db", read_only=True)
    assert get(copy, "colour") == "green"
    copy.close()


def test_closing_leaves_one_file_with_everything_in_it(path: Path):
    database = Database(path)
    database.write(put("colour", "green")).result()
    assert get(database, "colour") == "green"  # a reader has it open, too
    database.close()

    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]
