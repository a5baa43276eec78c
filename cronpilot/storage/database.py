"""The connection: pragmas, one writer thread with group commit, read-only connections.

SQL that only SQLite knows is here and nowhere else.
"""

from __future__ import annotations

import json
import logging
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Engine,
    Integer,
    Subquery,
    Table,
    bindparam,
    cast,
    create_engine,
    func,
    select,
    text,
)
from sqlalchemy import Connection as Connection  # for those above who hand in closures
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from cronpilot.errors import StorageProblem

T = TypeVar("T")
log = logging.getLogger("cronpilot.storage")
Write = Callable[[Connection], T]

BUSY_TIMEOUT_MS = 5_000
READERS = 4
_BATCH = 500  # closures in one transaction: bounds how long its first one waits


class Database:
    """One SQLite file: `write` hands closures to the only writing connection, `read` runs one on a
    read-only connection of the calling thread's choice. Both block; the engine's loop uses the
    futures of `write` and a thread pool for `read`."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._reading = _reader_engine(path)
        self._readers: deque[Connection] = deque()  # open, and not in use
        self._writing = None if read_only else _writer_engine(path)
        self._writer = None if self._writing is None else _Writer(self._writing)
        self._closed = False

    def write(self, closure: Write[T]) -> Future[T]:
        """Run it in the writer's next transaction; the future is answered after the commit."""
        if self._writer is None:
            raise StorageProblem(f"{self.path} was opened for reading only.")
        return self._writer.submit(closure)

    def read(self, closure: Callable[[Connection], T]) -> T:
        """Run it on a read-only snapshot. Raises StorageProblem."""
        try:
            connection = self._take_reader()
            try:
                with _transaction(connection, "BEGIN"):
                    return closure(connection)
            finally:
                self._give_back(connection)
        except (DBAPIError, sqlite3.Error) as error:
            raise storage_problem(error, self.path) from error

    def _take_reader(self) -> Connection:
        """One that is open: to take it from SQLAlchemy's pool costs more than a short read."""
        try:
            return self._readers.pop()
        except IndexError:
            return self._reading.connect()

    def _give_back(self, connection: Connection) -> None:
        if len(self._readers) < READERS and not self._closed:
            self._readers.append(connection)
        else:
            connection.close()

    def backup(self, target: Path) -> None:
        """A consistent copy of all that is committed, made while others write. Raises
        sqlite3.Error: it cannot be read, or the copy cannot be written."""
        with sqlite3.connect(_uri(self.path, "ro"), uri=True) as source:
            copy_database(source, target)
        source.close()

    def close(self) -> None:
        """Finish the writes that wait, then close every connection."""
        if self._writer is not None and self._writing is not None:
            self._writer.close()
        self._closed = True
        while self._readers:
            self._readers.pop().close()
        self._reading.dispose()
        if self._writing is not None:
            self._writing.dispose()  # last: only a writing connection can fold the WAL back in


def copy_database(source: sqlite3.Connection, target: Path) -> None:
    """Copy by SQLite's own backup: copying the files would miss what is still in the WAL."""
    target.touch(mode=0o600, exist_ok=True)  # it holds commands and their variables
    copy = sqlite3.connect(target)
    try:
        # One snapshot for all steps: else each commit of another connection starts the copy anew.
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(copy, pages=1000)
        source.rollback()
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, readable wherever it is put
    finally:
        copy.close()


def health(path: Path) -> str:
    """What SQLite's quick check finds in a file that nobody writes to; empty when it is sound."""
    try:
        connection = sqlite3.connect(_uri(path, "ro"), uri=True, timeout=BUSY_TIMEOUT_MS / 1000)
        try:
            found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        return str(error)
    return "" if found == ["ok"] else "; ".join(found)


def storage_problem(error: Exception, path: Path) -> StorageProblem:
    """What a failure of SQLite means for people."""
    said = str(getattr(error, "orig", error))
    if "full" in said:
        return StorageProblem(f"The disk of {path} is full.", "Make room; work goes on by itself.")
    if "locked" in said or "busy" in said:
        return StorageProblem(f"{path} is locked by another program.", "Close it; we try again.")
    if "malformed" in said or "not a database" in said:
        return StorageProblem(f"{path} is damaged.", "Stop the engine and restore a backup of it.")
    if "readonly" in said:
        return StorageProblem(
            f"{path} cannot be written to.", "Make its directory and its disk writable again."
        )
    if "unable to open" in said:
        return StorageProblem(f"{path} cannot be opened.", "Check that it exists and is yours.")
    return StorageProblem(
        f"{path}: {said}.",
        "The log says more: engine.log, or the standard error of a headless engine.",
    )


_AFTER_COMMIT = "after_commit"


def after_commit(connection: Connection, call: Callable[[], object]) -> None:
    """Call it once what this connection is writing is committed; never if it is rolled back.

    For lines of the log: what is said there has to be true.
    """
    connection.info.setdefault(_AFTER_COMMIT, []).append(call)


class _Writer:
    """The thread that owns the writing connection. Closures that wait together share one commit:
    the flush to disk, not the work, is what a commit costs."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self._path = engine, Path(str(engine.url.database))
        self._waiting: queue.SimpleQueue[tuple[Write[Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    def submit(self, closure: Write[T]) -> Future[T]:
        if self._closed:
            raise StorageProblem("The database is closed.")
        future: Future[T] = Future()
        self._waiting.put((closure, future))
        return future

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._waiting.put(None)
            self._thread.join()

    def _work(self) -> None:
        connection: Connection | None = None
        while batch := self._next_batch():
            try:
                connection = connection or self._engine.connect()
            except Exception as error:  # noqa: BLE001  locked, no descriptor: the next one tries again
                self._fail(batch, storage_problem(error, self._path))
            else:
                self._commit(connection, batch)
        if connection is not None:
            connection.close()

    def _fail(self, batch: list[tuple[Write[Any], Future[Any]]], error: BaseException) -> None:
        if isinstance(error, DBAPIError | sqlite3.Error):
            error = storage_problem(error, self._path)
        for _, future in batch:
            future.set_exception(error)

    def _next_batch(self) -> list[tuple[Write[Any], Future[Any]]]:
        """Everything that waits, at least one; empty when closed and drained."""
        batch: list[tuple[Write[Any], Future[Any]]] = []
        while len(batch) < _BATCH:
            try:
                item = self._waiting.get(block=not batch)
            except queue.Empty:
                break
            if item is None:
                if batch:
                    self._waiting.put(None)
                break
            if item[1].set_running_or_notify_cancel():  # from here on nobody can cancel it
                batch.append(item)
        return batch

    def _commit(self, connection: Connection, batch: list[tuple[Write[Any], Future[Any]]]) -> None:
        answers: list[tuple[Future[Any], Any, BaseException | None]] = []
        calls = connection.info[_AFTER_COMMIT] = []
        try:
            with _transaction(connection, "BEGIN IMMEDIATE"):
                for closure, future in batch:
                    answers.append((future, *_attempt(connection, closure, alone=len(batch) == 1)))
        except BaseException as error:  # noqa: BLE001  handed to those who wait
            self._fail(batch, error)
            return
        for future, result, failure in answers:
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)
        for call in calls:
            try:
                call()
            except Exception:  # it is committed; without this thread nothing would be any more
                log.exception("What was to follow a commit failed")


def _attempt(
    connection: Connection, closure: Write[Any], *, alone: bool
) -> tuple[Any, BaseException | None]:
    """Run one closure so that its failure undoes its own writes and nobody else's."""
    if alone:
        return closure(connection), None
    savepoint = connection.begin_nested()
    calls = connection.info[_AFTER_COMMIT]
    before = len(calls)
    try:
        result = closure(connection)
    except (DBAPIError, sqlite3.Error):
        raise  # full, locked, corrupt: concerns the whole transaction
    except Exception as error:  # noqa: BLE001  handed to the one who waits for it
        savepoint.rollback()
        del calls[before:]
        return None, error
    savepoint.commit()
    return result, None


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"


def _connect(path: Path, mode: str, pragmas: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        _uri(path, mode), uri=True, isolation_level=None, check_same_thread=False,
        timeout=BUSY_TIMEOUT_MS / 1000,
    )  # fmt: skip
    connection.executescript(pragmas)
    return connection


def _writer_engine(path: Path) -> Engine:
    # FULL: NORMAL forgets acknowledged fire times at a power cut, and they would run twice.
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
    engine = create_engine(
        f"sqlite:///{path}", creator=lambda: _connect(path, "rw", pragmas),
        hide_parameters=True,  # its errors go to the log, and values of tasks are among them
        poolclass=QueuePool, pool_size=1,  # not NullPool: `close` has to close it after the readers
    )  # fmt: skip
    engine.dialect.statement_compiler = _HintingCompiler
    return engine


def _reader_engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        creator=lambda: _connect(path, "ro", "PRAGMA query_only=ON;"), hide_parameters=True,
        poolclass=QueuePool, pool_size=READERS, max_overflow=2 * READERS,
    )  # fmt: skip
    engine.dialect.statement_compiler = _HintingCompiler
    return engine


@contextmanager
def _transaction(connection: Connection, begin: str) -> Iterator[None]:
    """Begun and ended on the driver; statements of SQLAlchemy join in. (Its own bracket costs more
    than most of what stands inside of it.)"""
    driver: Any = connection.connection.driver_connection
    driver.execute(begin)
    try:
        yield
        driver.execute("COMMIT")
    finally:
        if connection.in_transaction():
            connection.rollback()  # after a COMMIT, nothing but its own book-keeping
        if driver.in_transaction:
            driver.execute("ROLLBACK")


def insert_new(table: Table) -> Insert:
    """INSERT that leaves a row alone which breaks a UNIQUE rule: the slot is already recorded."""
    return insert(table).on_conflict_do_nothing()


def upsert(table: Table, key: str) -> Insert:
    """INSERT, or set every given column of the row with the same `key`."""
    statement = insert(table)
    changes = {column.name: column for column in statement.excluded if column.name != key}
    return statement.on_conflict_do_update(index_elements=[key], set_=changes)


def among(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """That `column` is one of a list, which is one parameter: `as_list` of the values. (An IN whose
    list is spelled out is another text for each length.)"""
    return column.in_(select(func.json_each(bindparam(name)).table_valued("value").c.value))


def as_list(values: Iterable[int | str]) -> str:
    """The parameter for `among`."""
    return json.dumps(list(values))


def by_id(name: str) -> Subquery:
    """A table of `id` and `value` that is one parameter: `as_table` of what belongs to each id."""
    pairs = func.json_each(bindparam(name)).table_valued("key", "value")
    return select(cast(pairs.c.key, Integer).label("id"), pairs.c.value).subquery()


def as_table(values: Mapping[int, int | str | None]) -> str:
    """The parameter for `by_id`."""
    return json.dumps(values)


def listed(column: ColumnElement[Any]) -> ColumnElement[str]:
    """All values of a group in one: `list_of` reads them. (Each row that is fetched lets go of the
    interpreter, and has to wait for it anew.)"""
    return func.json_group_array(column)


def list_of(values: str) -> list[int]:
    """The numbers that `listed` has put together."""
    found: list[int] = json.loads(values)
    return found


def raise_ids(connection: Connection, table: str, least: int) -> None:
    """Let the next id of a table be above `least`. An id that is given out is never lowered."""
    names = {"name": table, "least": least}
    raised = connection.execute(
        text("UPDATE sqlite_sequence SET seq = max(seq, :least) WHERE name = :name"), names
    ).rowcount
    if not raised and least:
        connection.execute(
            text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :least)"), names
        )


def highest_ids(path: Path) -> tuple[int, int]:
    """The highest ids of tasks and runs that were ever given out; 0 where it cannot be read."""
    try:
        connection = sqlite3.connect(_uri(path, "ro"), uri=True, timeout=BUSY_TIMEOUT_MS / 1000)
        try:
            given = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
        finally:
            connection.close()
    except sqlite3.DatabaseError:
        return 0, 0
    return given.get("task", 0), given.get("run", 0)


# Without statistics SQLite takes the longer index; its partial ones are the short way to what is
# open. A hint that cannot be followed is an error, so a renamed index cannot go unnoticed.
DIALECT = "sqlite"
BY_OPEN = "INDEXED BY run_open"
BY_QUEUE = "INDEXED BY run_queue"
BY_TASK = "INDEXED BY run_task"
BY_STATUS = "INDEXED BY run_status"
BY_WHOLE_TABLE = "NOT INDEXED"  # in the order of the ids


class _HintingCompiler(SQLiteCompiler):
    """SQLAlchemy keeps hints for tables, but its SQLite dialect does not write them out."""

    def get_from_hint_text(self, table: Any, text: str | None) -> str | None:
        return text


def create_file(path: Path) -> None:
    """Make an empty database file that only its owner can read, if there is none."""
    path.touch(mode=0o600, exist_ok=True)
