"""The nightly copy of the database, and retention that runs beside the work."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cronpilot.config.settings import RetentionSettings
from cronpilot.engine import upkeep
from cronpilot.engine.notices import Notices
from cronpilot.engine.upkeep import Upkeep, night_of
from cronpilot.errors import StorageProblem
from cronpilot.storage import backups
from cronpilot.storage.database import Database
from cronpilot.storage.migrate import prepare
from tests.engine.conftest import until
from tests.storage.making import add_task

BERLIN = ZoneInfo("Europe/Berlin")


class Hands:
    """A clock that is set by hand; both of its hands move together."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def elapsed(self) -> float:
        return self.at.timestamp()


class House:
    """A state directory, its upkeep, and what it said."""

    def __init__(self, state_dir: Path, clock: Hands) -> None:
        self.state_dir, self.clock = state_dir, clock
        prepare(state_dir / "cronpilot.db")
        self.database = Database(state_dir / "cronpilot.db")
        self.notices = Notices(lambda: None)
        self.upkeep = Upkeep(
            self.database, state_dir, clock, self.notices,
            rules=RetentionSettings(), zone=BERLIN,
        )  # fmt: skip

    def copies(self) -> list[str]:
        return sorted(path.name for path in (self.state_dir / "backups").glob("*"))


@pytest.fixture
def house(tmp_path: Path):
    """In Berlin, on 5 March at noon."""
    made = House(tmp_path, Hands(datetime(2026, 3, 5, 11, tzinfo=UTC)))
    yield made
    made.database.close()


@pytest.mark.parametrize(
    ("local", "night"),
    [
        pytest.param("2026-03-05 03:29", date(2026, 3, 4), id="until 03:30 it is last night"),
        pytest.param("2026-03-05 03:30", date(2026, 3, 5), id="from 03:30 on this one"),
        pytest.param("2026-03-05 23:59", date(2026, 3, 5), id="all day long"),
    ],
)
def test_the_night_changes_at_half_past_three_local_time(local, night):
    now = datetime.fromisoformat(local).replace(tzinfo=BERLIN).astimezone(UTC)

    assert night_of(now, BERLIN) == night


async def test_the_copy_is_made_once_a_night_for_its_owner_alone_and_can_be_opened(house):
    add_task(house.database, "backup")
    await house.upkeep.look()
    copy = house.state_dir / "backups" / "nightly-20260305.db"
    inode = copy.stat().st_ino
    house.clock.at += timedelta(hours=2)
    await house.upkeep.look()

    assert house.copies() == ["nightly-20260305.db"]
    assert (copy.stat().st_ino, copy.stat().st_mode & 0o777) == (inode, 0o600)
    names = sqlite3.connect(copy).execute("SELECT name FROM task").fetchall()
    assert names == [("backup",)]


async def test_seven_copies_are_kept_and_other_files_beside_them(house):
    for _ in range(9):
        await house.upkeep.look()
        house.clock.at += timedelta(days=1)
        (house.state_dir / "backups" / "mine.db").touch()

    assert house.copies() == ["mine.db", *(f"nightly-202603{day:02}.db" for day in range(7, 14))]


async def test_a_copy_that_fails_is_a_banner_until_one_succeeds(house, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(backups, "health", lambda path: "row 7 missing from index run_task")
        await house.upkeep.look()
        assert [banner.text for banner in house.notices.all()] == [
            "The nightly copy of the database is damaged (row 7 missing from index run_task);"
            " it was not kept."
        ]
        # Graver is what keeps tasks from starting: of two banners that one is read first.
        assert [banner.severity for banner in house.notices.all()] == ["warning"]
        assert house.copies() == []

    house.clock.at += timedelta(minutes=1)
    await house.upkeep.look()
    assert house.copies() == []  # the next try comes after ten minutes

    house.clock.at += timedelta(minutes=10)
    await house.upkeep.look()
    assert house.copies() == ["nightly-20260305.db"]
    assert house.notices.all() == []


async def test_a_copy_that_the_disk_refuses_is_a_banner_and_no_failure_of_the_engine(
    house, monkeypatch
):
    def refuse(_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(house.database, "backup", refuse)
    await house.upkeep.look()
    assert [banner.text for banner in house.notices.all()] == [
        "The nightly copy of the database could not be made: database or disk is full."
    ]


async def test_a_database_that_is_taken_away_meanwhile_is_said_and_not_copied(house, tmp_path):
    house.database.path.rename(tmp_path / "away")
    await house.upkeep.look()
    (banner,) = house.notices.all()
    assert banner.text == (
        f"{house.database.path} was removed or replaced while the engine uses it:"
        " nothing that happens now is kept."
    )
    assert house.copies() == []

    (tmp_path / "away").rename(house.database.path)
    await house.upkeep.look()
    assert house.notices.all() == []


def test_no_copy_takes_the_last_room_of_a_disk(house):
    with pytest.raises(StorageProblem, match="no room for the nightly copy"):
        backups.make_nightly(house.database, house.state_dir / "backups" / "x.db", spare=1 << 60)


async def test_what_a_crash_left_of_a_copy_is_removed_by_the_next(house):
    (house.state_dir / "backups").mkdir()
    (house.state_dir / "backups" / "nightly-20260304.db.part").write_text("half")

    await house.upkeep.look()

    assert house.copies() == ["nightly-20260305.db"]


async def test_copies_are_taken_while_others_write_and_hold_a_moment_of_it(house, tmp_path):
    stop = asyncio.Event()

    async def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            await asyncio.to_thread(add_task, house.database, f"task {number}")

    writing = asyncio.create_task(write())
    await asyncio.to_thread(house.database.backup, tmp_path / "copy.db")
    stop.set()
    await writing

    tasks, ids = (
        sqlite3.connect(tmp_path / "copy.db")
        .execute("SELECT count(*), max(id) FROM task")
        .fetchone()
    )
    assert tasks == (ids or 0)


async def test_an_engine_forgets_and_copies_soon_after_its_start(bench, monkeypatch):
    monkeypatch.setattr(upkeep, "FIRST_S", 0.01)
    stray = bench.state_dir / "logs" / "1" / "77.log"
    stray.parent.mkdir(parents=True)
    stray.write_text("no row speaks of it")
    bench.tasks()
    prepare(bench.database)

    async with bench.engine():
        copied = bench.state_dir / "backups"

        async def done() -> bool:
            return bool(list(copied.glob("nightly-????????.db")))

        await until(done, "a copy")

    assert not stray.exists()
