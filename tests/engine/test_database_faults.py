"""A database that is locked, missing, damaged or newer; a full disk; what the user is told."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from cronpilot.client.messages import Banner
from cronpilot.domain.run import Status
from cronpilot.engine.disk import DiskGuard
from cronpilot.engine.notices import Notices
from cronpilot.engine.opening import open_database
from cronpilot.errors import StorageProblem
from cronpilot.storage import database as database_module
from cronpilot.storage import meta
from cronpilot.storage.database import Database
from tests.engine.conftest import Bench, finished, reached, start, until

from ..patience import PATIENCE_S

QUICK = "name: quick\ncommand: echo ran\nschedule: manual"


def headless(state_dir: Path) -> subprocess.CompletedProcess[str]:
    """An engine that is expected not to come up."""
    return subprocess.run(
        [sys.executable, "-m", "cronpilot", "--headless", "--state-dir", str(state_dir)],
        capture_output=True, text=True, cwd=state_dir, timeout=60,
    )  # fmt: skip


# --- at the start --------------------------------------------------------------------------------


@pytest.mark.parametrize("lock", ["EXCLUSIVE", "IMMEDIATE"], ids=["for all", "for writers"])
def test_a_database_that_another_program_locks_is_waited_for_and_then_said(bench, lock):
    open_database(bench.database, bench.state_dir)
    other = sqlite3.connect(bench.database, isolation_level=None)
    if lock == "EXCLUSIVE":
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute(f"BEGIN {lock}")
    try:
        said = headless(bench.state_dir)
    finally:
        other.close()

    assert said.returncode == 7
    assert said.stderr.splitlines()[-1] == (
        f"cronpilot: {bench.database} is locked by another program. Close it; we try again."
    )


def test_a_database_that_becomes_free_in_time_is_used(bench):
    open_database(bench.database, bench.state_dir)
    opened = Database(bench.database)
    opened.write(lambda connection: 0).result(PATIENCE_S)  # the first one turns the WAL on
    other = sqlite3.connect(bench.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    future = opened.write(lambda connection: 7)
    other.execute("ROLLBACK")
    other.close()

    assert future.result(PATIENCE_S) == 7
    opened.close()


def test_a_writer_that_could_not_connect_tries_again_with_the_next_write(bench, monkeypatch):
    open_database(bench.database, bench.state_dir)
    bench.database.rename(bench.database.with_suffix(".away"))
    opened = Database(bench.database)
    with pytest.raises(StorageProblem, match="cannot be opened"):
        opened.write(lambda connection: 7).result(PATIENCE_S)
    bench.database.with_suffix(".away").rename(bench.database)

    assert opened.write(lambda connection: 7).result(PATIENCE_S) == 7
    opened.close()


def test_a_damaged_database_is_refused_with_the_newest_copy_and_records_are_kept(bench):
    bench.database.write_bytes(b"rubbish" * 1000)
    copies = bench.state_dir / "backups"
    records = bench.state_dir / "records"
    for folder in (copies, records):
        folder.mkdir()
    for night in ("20260304", "20260305"):
        (copies / f"nightly-{night}.db").touch()
    (records / "7.1").write_text("S\n")

    said = headless(bench.state_dir)

    assert said.returncode == 7
    assert "is not a database that can be read" in said.stderr
    assert said.stderr.rstrip().endswith(
        f"Restore the newest copy: cronpilot restore {copies}/nightly-20260305.db"
    )
    assert (records / "7.1").exists()
    assert bench.database.read_bytes() == b"rubbish" * 1000


def test_a_new_directory_needs_no_explanation(bench):
    assert open_database(bench.database, bench.state_dir) == []


@pytest.mark.parametrize("how", ["gone", "emptied"])
async def test_a_database_that_has_gone_missing_is_made_anew_and_that_is_said(bench, how):
    bench.tasks(QUICK)
    async with bench.engine() as engine:
        old = await finished(engine, (await start(engine, "quick")).id)
    copy = bench.state_dir / "backups" / "nightly-20260305.db"
    copy.parent.mkdir()
    copy.touch()
    for path in bench.state_dir.glob("cronpilot.db*"):
        path.unlink()
    if how == "emptied":
        bench.database.touch()

    notes = open_database(bench.database, bench.state_dir)

    assert notes == [
        f"There was no database at {bench.database}, but runs there have been before;"
        " a new one was made.",
        f"Logs and records up to run {old.id} are kept.",
        f"To go back: cronpilot shutdown; cronpilot restore {copy}",
    ]
    async with bench.engine() as engine:
        new = await finished(engine, (await start(engine, "quick")).id)
    assert new.id > old.id
    assert new.task_id > old.task_id
    assert Path(old.log_path).read_text() == "ran\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_state_directory_that_was_made_read_only_is_said(bench):
    bench.state_dir.chmod(0o500)
    try:
        said = headless(bench.state_dir)
    finally:
        bench.state_dir.chmod(0o700)

    assert said.returncode == 2
    assert "is not writable" in said.stderr


# --- while it runs -------------------------------------------------------------------------------


def test_a_file_that_cannot_be_written_to_is_said_in_words(bench):
    open_database(bench.database, bench.state_dir)
    opened = Database(bench.database, read_only=True)
    with pytest.raises(StorageProblem, match="cannot be written to") as told:
        opened.read(lambda c: meta.put(c, "colour", "green"))
    opened.close()

    assert told.value.hint == "Make its directory and its disk writable again."


async def test_a_lock_of_another_program_is_a_banner_and_work_goes_on_without_it(
    bench, monkeypatch
):
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_MS", 100)
    bench.tasks("name: tick\ncommand: 'true'\nschedule: every 1s")
    async with bench.engine() as engine:
        other = sqlite3.connect(bench.database, isolation_level=None, timeout=PATIENCE_S)
        other.execute("BEGIN IMMEDIATE")

        async def banners() -> list[str]:
            return [banner.text for banner in (await engine.status()).banners]

        said = await until(banners, "a banner")
        other.execute("ROLLBACK")
        other.close()

        async def is_over() -> bool:
            return await banners() == []

        await until(is_over, "the end of the banner")

    assert said[0] == f"{bench.database} is locked by another program."


class Refusing:
    """The database of a dispatcher, which takes no write while it `refuses`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.refuses, self.refusals = False, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def write(self, closure: Any) -> Future[Any]:
        if not self.refuses:
            return self._database.write(closure)
        self.refusals += 1
        refused: Future[Any] = Future()
        refused.set_exception(StorageProblem("The disk is full.", "Make room."))
        return refused


async def test_an_end_that_cannot_be_written_is_written_when_it_can_be(bench, tmp_path):
    bench.tasks(
        f"name: it\ncommand: while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; exit 3\n"
        "schedule: manual"
    )
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "it")).id, Status.RUNNING)
        database = engine._dispatcher._database = Refusing(engine._dispatcher._database)
        database.refuses = True
        (tmp_path / "go").touch()

        async def it_has_ended():
            return "\nK " in (bench.state_dir / "records" / f"{run.id}.1").read_text()

        await until(it_has_ended, "the keeper's last word")
        refusals = database.refusals

        async def refused_twice():
            return database.refusals >= refusals + 2

        await until(refused_twice, "the refusals")
        assert (await engine.run(run.id)).status is Status.RUNNING
        database.refuses = False
        over = await finished(engine, run.id)

    assert (over.status, over.exit_code) == (Status.FAILED, 3)


def test_the_banner_of_a_full_disk_has_the_figure_and_does_not_flicker(tmp_path, monkeypatch):
    figures = iter([70_000_000, 63_900_000, 63_000_000, 30_000_000, 64_000_000])
    monkeypatch.setattr("cronpilot.engine.disk.free_bytes", lambda _: next(figures))
    changes: list[list[Banner]] = []
    notices = Notices(lambda: changes.append(notices.all()))
    guard = DiskGuard(tmp_path, 64_000_000, notices)

    rooms = [guard.look() for _ in range(5)]

    assert rooms == [True, False, False, False, True]
    said = [[banner.text for banner in banners] for banners in changes]
    nearly_full, floor = f"The disk of {tmp_path} is nearly full", "Nothing is started below 64 MB."
    assert said == [
        [f"{nearly_full}: 63.9 MB are free. {floor}"],
        [f"{nearly_full}: 30.0 MB are free. {floor}"],
        [],
    ]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Bench]:
    """A state directory on a disk of 8 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    bench = Bench(tmp_path)
    words = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "cronpilot-test"]
    if subprocess.run([*words, str(bench.state_dir)], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    yield bench
    bench.kill_keeper()
    subprocess.run(["umount", "-l", str(bench.state_dir)], check=True)


def fill(path: Path, leave: int) -> None:
    """Take all room but so many bytes."""
    figures = os.statvfs(path.parent)
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, figures.f_bavail * figures.f_frsize - leave)


async def test_nothing_is_started_on_a_disk_that_is_nearly_full_until_there_is_room(small_disk):
    small_disk.tasks(QUICK)
    ballast = small_disk.state_dir / "ballast"
    async with small_disk.engine(least_free=2_000_000) as engine:
        first = await finished(engine, (await start(engine, "quick")).id)
        fill(ballast, 1_000_000)

        async def is_said() -> str:
            return next((b.text for b in (await engine.status()).banners if b.key == "disk"), "")

        said = await until(is_said, "the banner")
        waits = await start(engine, "quick")
        assert (waits.status, waits.detail) == (Status.QUEUED, "waits for room on the disk")

        ballast.unlink()
        later = await finished(engine, waits.id)

        async def is_over() -> bool:
            return (await engine.status()).banners == []

        await until(is_over, "the end of the banner")

    assert said.endswith(" MB are free. Nothing is started below 2 MB.")
    assert (first.status, later.status, later.attempts) == (Status.SUCCESS, Status.SUCCESS, 1)


async def test_a_disk_that_is_full_to_the_brim_breaks_nothing(small_disk):
    small_disk.tasks("name: tick\ncommand: 'true'\nschedule: every 1s")
    ballast = small_disk.state_dir / "ballast"
    async with small_disk.engine(least_free=1_000_000) as engine:
        fill(ballast, 0)

        async def is_said() -> bool:
            return "disk" in {banner.key for banner in (await engine.status()).banners}

        await until(is_said, "the banner")
        ballast.unlink()
        tick = await engine.find_task("tick")

        async def ran_again() -> bool:
            return (await engine.task(tick.id)).successes > tick.successes

        await until(ran_again, "a run")

    check = sqlite3.connect(small_disk.database).execute("PRAGMA quick_check").fetchone()
    assert check == ("ok",)
