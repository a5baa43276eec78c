"""list, next, history and status say the same by the short way as by the whole one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cronpilot.cli import entry, shortcut
from cronpilot.client.messages import Banner
from cronpilot.domain.run import Reason, Status
from cronpilot.domain.schedule import Schedule, resolve
from cronpilot.domain.task import TaskSpec
from cronpilot.storage import meta, runs, tasks
from cronpilot.storage.database import Database
from cronpilot.storage.lock import DatabaseLock
from cronpilot.storage.tables import Origin

from ..databases import lay_ready
from ..storage.making import slot
from .conftest import HOSTILE, Cronpilot, Running, Said

NOON = datetime(2026, 3, 4, 12, 7, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
SCHEDULES = (
    "hourly", "hourly :30", "daily 02:30", "weekly mon 09:00", "weekly sat,sun 09:00",
    "0 */2 * * *", "*/15 8-18 * * mon-fri", "H 3 * * *", "@daily", "0 0 L * fri#2", "every 90s",
    "every 1d", "once 2026-12-24 18:00", "manual",
)  # fmt: skip
TYPED = (
    "list", "history", "history --limit 3", "history --limit=3", "history weekly@mon@09:00",
    "history 3", "status",
)  # fmt: skip


@pytest.fixture
def short(alone: Cronpilot, monkeypatch: pytest.MonkeyPatch) -> Cronpilot:
    """The command line where the whole way is closed."""

    def never(*_: object, **__: object) -> int:
        raise AssertionError("the whole way was gone")

    def run(*words: str) -> Said:
        with monkeypatch.context() as closed:
            closed.setattr(entry, "main", never)
            return alone(*words)

    return run


@pytest.fixture
def whole(alone: Cronpilot, monkeypatch: pytest.MonkeyPatch) -> Cronpilot:
    """The command line where the short way is closed."""

    def run(*words: str) -> Said:
        with monkeypatch.context() as closed:
            closed.setattr("cronpilot.cli.answer", lambda _: None)
            return alone(*words)

    return run


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A state directory without an engine; its tasks have every kind of schedule."""
    database = Database(lay_ready(tmp_path / "there"))
    database.write(_fill).result()
    yield database
    database.close()


def _fill(connection: sqlite3.Connection) -> None:
    for number, shorthand in enumerate((*SCHEDULES, "daily 04:05")):
        name = HOSTILE if number == len(SCHEDULES) else shorthand.replace(" ", "@")
        spec = TaskSpec.model_validate({"name": name, "command": "x", "schedule": shorthand})
        _add(connection, spec, spec.schedule, number)


def _add(connection: sqlite3.Connection, spec: TaskSpec, schedule: Schedule, number: int) -> None:
    resolved = resolve(schedule, zone=ZoneInfo("UTC"), set_at=NOON, seed=spec.name)
    plan = tasks.Plan(resolved, "UTC", NOON + number * HOUR if number % 5 else None)
    task_id = tasks.add(connection, spec, plan, origin=Origin.API, actor="t", at=NOON)
    if number == 7:
        row = tasks.views(connection, [task_id])[0]
        tasks.archive(connection, row, actor="t", at=NOON, by_hand=True)
    if number in (2, 3):
        until = NOON + HOUR if number == 3 else None
        tasks.set_columns(connection, task_id, paused_at=NOON, paused_until=until)
    if number == 4:
        tasks.set_columns(connection, task_id, active=False)


def add_runs(database: Database) -> None:
    """A run of every final state and every reason, and one that goes on."""
    known = [*Status][3:]
    rows = [
        slot(number % 6 + 1, NOON + number * HOUR, "skipped", reason=reason)
        for number, reason in enumerate([None, *Reason])
    ]
    rows += [slot(number % 6 + 1, NOON + number * HOUR / 7, "success") for number in range(1, 12)]
    ids = database.write(lambda c: runs.record(c, rows)).result()
    with closing(sqlite3.connect(database.path)) as connection:
        for place, run_id in enumerate(ids):
            status = known[place % len(known)]
            started = (NOON + place * HOUR - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(
                microseconds=1
            )
            connection.execute(
                "UPDATE run SET status = ?, started_at = ?, finished_at = ?, exit_code = ?,"
                " signal = ?, attempts = ?, folded_count = ?, log_removed = ?, detail = ?,"
                " spec = ?, beside = ? WHERE id = ?",
                (status, started if place % 3 else None,
                 started + place * 17_000_000 if place % 4 else None,
                 (None, 0, 3)[place % 3], (None, 9)[place % 2], place % 3, 1 + place % 2,
                 place % 5 == 0, "sh: \x1b[2J: no" if place % 4 else "",
                 '{"max_retries": 4}' if place % 6 == 0 else None, place % 7 == 0, run_id),
            )  # fmt: skip
        connection.commit()


@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["words", "json"])
@pytest.mark.parametrize(
    "typed", ["list", "next", "next 1 --limit 3", "history", "history 3 --limit 1", "status"]
)
def test_an_engine_is_told_of_in_the_same_words(
    engine: Running, short: Cronpilot, whole: Cronpilot, typed: str, as_json: list[str]
) -> None:
    engine.do(lambda: engine.fake.set_banners(Banner(key="x", text="Full.", hint="Make room.")))
    words = [*typed.split(), *as_json, "--connect", str(engine.path)]

    assert short(*words) == whole(*words)


@pytest.mark.parametrize("typed", TYPED)
def test_a_database_is_told_of_in_the_same_words(
    database: Database, short: Cronpilot, whole: Cronpilot, typed: str
) -> None:
    add_runs(database)
    words = [*typed.split(), "--state-dir", str(database.path.parent)]

    said = short(*words)

    assert said == whole(*words)
    assert len(said.out.splitlines()) > 2


def test_why_a_run_waits_is_said_by_the_whole_way(
    database: Database, alone: Cronpilot, whole: Cronpilot
) -> None:
    database.write(lambda c: runs.record(c, [slot(1)])).result()
    words = ["history", "--state-dir", str(database.path.parent)]

    assert shortcut.answer(words) is None
    assert alone(*words) == whole(*words)


@pytest.mark.parametrize("typed", ["list", "history", "status"])
def test_so_is_an_empty_database(
    tmp_path: Path, short: Cronpilot, whole: Cronpilot, typed: str
) -> None:
    lay_ready(tmp_path / "there")

    assert short(typed, "--state-dir", "there") == whole(typed, "--state-dir", "there")


def test_a_paused_scheduler_is_said_without_an_engine(
    database: Database, short: Cronpilot, whole: Cronpilot
) -> None:
    for key, value in ((meta.PAUSED_AT, NOON), (meta.PAUSED_UNTIL, NOON + HOUR)):
        database.write(lambda c, key=key, value=value: meta.put(c, key, str(value))).result()
    words = ["status", "--state-dir", str(database.path.parent)]

    said = short(*words)

    assert said == whole(*words)
    assert "paused until 2026-03-04 14:07:05 CET" in said.out


def test_a_database_is_where_config_yaml_says(
    database: Database, somewhere: Path, short: Cronpilot
) -> None:
    (somewhere / "config.yaml").write_text(
        f"scheduler: {{jobstore_url: sqlite:///{database.path}, max_workers: 3}}\n"
    )

    assert "at most 3" in short("status").out


@pytest.mark.parametrize(
    "break_it",
    [
        pytest.param(lambda path: path.unlink(), id="missing"),
        pytest.param(lambda path: path.write_bytes(b"x" * 5000), id="damaged"),
        pytest.param(lambda path: _say_schema(path, "0001"), id="of another schema"),
    ],
)
def test_the_whole_way_says_what_is_wrong_with_a_database(
    tmp_path: Path, alone: Cronpilot, whole: Cronpilot, break_it: Callable[[Path], None]
) -> None:
    break_it(lay_ready(tmp_path / "there"))
    words = ["list", "--state-dir", "there"]

    said = alone(*words)

    assert said == whole(*words)
    assert (said.code > 0, said.out) == (True, "")


def _say_schema(path: Path, version: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        connection.commit()


def test_an_engine_that_is_about_to_answer_is_waited_for_by_the_whole_way(
    tmp_path: Path,
) -> None:
    lock = DatabaseLock(lay_ready(tmp_path / "there"))
    assert lock.take()

    try:
        assert shortcut.answer(["list", "--state-dir", "there"]) is None
    finally:
        lock.release()


@pytest.mark.parametrize(
    "typed",
    [
        "", "--help", "list --help", "run x", "list x", "list --limit 3", "--limit 3 next",
        "next --limit 0", "next --limit 1001", "next --limit x", "next a b", "status --state-dir",
        "list --state-dir --json", "list --config x", "list --user anna", "list -- x",
        "list --connect http://host", "next -x", "list list", "history --limit ٣",
    ],
)  # fmt: skip
def test_other_words_go_the_whole_way(typed: str) -> None:
    assert shortcut.understand(typed.split()) is None


def test_options_stand_where_they_are_typed() -> None:
    asked = shortcut.understand(
        ["--json", "--state-dir=a", "next", "b", "--limit=7", "--state-dir", "c"]
    )

    assert asked == shortcut.Asked("next", "b", limit=7, as_json=True, state_dir="c")
