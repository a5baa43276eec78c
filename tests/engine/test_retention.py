"""Old runs go with their logs, in an order that no crash can turn into a lie."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from cronpilot.client.messages import RunQuery
from cronpilot.config.settings import RetentionSettings
from cronpilot.engine import retention as retention_module
from cronpilot.engine.offline import OfflineClient
from cronpilot.engine.retention import Forgotten, Pass
from cronpilot.runner.paths import log_path
from cronpilot.storage import meta, retention, runs
from cronpilot.storage.database import Database
from cronpilot.storage.migrate import prepare
from tests.storage.making import NOON, add_task
from tests.storage.test_retention import DAY, add_runs

KB = 1000
ROOMY = RetentionSettings(runs=100, age=timedelta(days=90), log_size=10**9)


class Shelf:
    """A state directory with a database, runs and their logs, and no engine."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.path = state_dir / "cronpilot.db"
        prepare(self.path)
        self.database = Database(self.path)
        self.task = add_task(self.database)

    def runs(self, statuses: str, *, days_ago: int = 30, kb: int = 1) -> list[int]:
        """As `add_runs`; those that ran have a log of so many kB."""
        ids = add_runs(self.database, self.task, statuses, first=NOON - days_ago * DAY)
        for run, status in zip(ids, statuses, strict=True):
            if status not in "km":
                self.log(run).parent.mkdir(parents=True, exist_ok=True)
                self.log(run).write_bytes(b"x" * kb * KB)
        return ids

    def log(self, run: int) -> Path:
        return log_path(self.state_dir, self.task, run)

    def logs(self) -> list[int]:
        return sorted(int(path.stem) for path in self.state_dir.glob("logs/*/*.log"))

    def forget(self, rules: RetentionSettings, stopping: threading.Event | None = None):
        job = Pass(self.database, self.state_dir, rules, NOON, stopping or threading.Event())
        return job.run()


@pytest.fixture
def shelf(tmp_path: Path):
    """Nothing but a task, at noon."""
    made = Shelf(tmp_path)
    yield made
    made.database.close()


def row_ids(shelf: Shelf) -> list[int]:
    return shelf.database.read(
        lambda c: list(c.execute(runs.RUN.select().order_by(runs.RUN.c.id)).scalars())
    )


def test_by_count_rows_and_logs_go_together(shelf):
    ids = shelf.runs("ssssss")

    done = shelf.forget(RetentionSettings(runs=2))

    assert row_ids(shelf) == ids[-2:]
    assert shelf.logs() == ids[-2:]
    assert (done.runs, done.logs, done.strays) == (4, 4, 0)


def test_by_age_what_ended_before_goes(shelf):
    old, young = shelf.runs("ss", days_ago=40), shelf.runs("ss", days_ago=5)

    shelf.forget(RetentionSettings(age=timedelta(days=30)))

    assert row_ids(shelf) == young
    assert shelf.logs() == young
    assert old[0] < young[0]


def test_by_size_only_logs_go_oldest_success_first_and_the_rows_say_so(shelf):
    ids = shelf.runs("fssfs", kb=1000)

    done = shelf.forget(RetentionSettings(log_size=3_100_000))

    assert row_ids(shelf) == ids
    assert shelf.logs() == [ids[0], ids[3], ids[4]]
    assert done.logs == 2
    assert done.log_bytes <= 3_100_000


def test_by_size_failures_go_after_all_successes_and_the_newest_of_both_stay(shelf):
    ids = shelf.runs("fssfs", kb=1000)

    shelf.forget(RetentionSettings(log_size=1_000_000))

    assert shelf.logs() == ids[3:]


def test_the_audit_is_kept_for_a_year(shelf):
    for days in (400, 366, 364, 1):
        at = NOON - days * DAY
        shelf.database.write(partial(meta.note, at=at, actor="x", action="pause")).result()

    shelf.forget(ROOMY)

    left = shelf.database.read(lambda c: c.exec_driver_sql("SELECT count(*) FROM audit").scalar())
    assert left == 2


async def test_a_run_whose_log_was_removed_says_so(shelf):
    ids = shelf.runs("ss", kb=2000)
    shelf.forget(RetentionSettings(log_size=2_500_000))

    client = OfflineClient(shelf.path, shelf.state_dir, max_workers=1, timezone="UTC")
    page = await client.runs(RunQuery())
    text = await client.read_log(ids[0])
    await client.close()

    newest, oldest = page.rows
    assert (oldest.log_removed, oldest.log_path) == (True, None)
    assert oldest.detail == "Its log was removed to save space."
    assert (newest.log_removed, newest.detail) == (False, "")
    assert text.data == b""


@pytest.mark.parametrize("rules", [{"runs": 1}, {"log_size": 1_000_000}], ids=["count", "size"])
def test_a_crash_between_row_and_file_leaves_a_file_that_the_next_pass_removes(
    shelf, monkeypatch, rules
):
    ids = shelf.runs("sss", kb=1000)

    def die(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "unlink", die)
        shelf.forget(RetentionSettings(**rules))
    gone = shelf.database.read(lambda c: retention.without_log(c, ids))
    assert gone == set(ids[:2])  # no row promises a log that is about to go
    assert shelf.logs() == ids

    done = shelf.forget(RetentionSettings(**rules))

    assert shelf.logs() == ids[2:]
    assert done.strays == 2


def test_running_runs_and_their_logs_are_never_touched(shelf):
    ids = shelf.runs("rrs", days_ago=400, kb=2000)

    shelf.forget(RetentionSettings(runs=1, age=timedelta(days=1), log_size=1_000_000))

    assert row_ids(shelf) == ids
    assert shelf.logs() == ids


def test_logs_of_a_database_that_is_gone_stay_until_they_are_old(shelf):
    ids = shelf.runs("s")
    young, old = ids[0] + 5, ids[0] + 6
    for run in (young, old):
        shelf.log(run).write_text("from another life\n")
    shelf.database.write(lambda c: meta.put(c, meta.FOREIGN_RUNS, str(old))).result()
    os.utime(shelf.log(young), (NOON.timestamp(),) * 2)
    os.utime(shelf.log(old), ((NOON - 100 * DAY).timestamp(),) * 2)

    shelf.forget(ROOMY)

    assert shelf.logs() == [ids[0], young]


def test_a_log_that_somebody_deletes_meanwhile_is_no_trouble(shelf, monkeypatch):
    ids = shelf.runs("sss")
    listed = retention_module._entries

    def listed_and_gone(folder):
        found = listed(folder)
        if folder == shelf.log(ids[1]).parent:
            shelf.log(ids[1]).unlink()
        return found

    monkeypatch.setattr(retention_module, "_entries", listed_and_gone)
    done = shelf.forget(ROOMY)

    assert shelf.logs() == [ids[0], ids[2]]
    assert done.log_bytes == sum(shelf.log(run).stat().st_blocks * 512 for run in shelf.logs())


def test_what_is_no_log_of_ours_is_left_alone(shelf):
    shelf.runs("s")
    strange = [shelf.log(1).with_name("notes.txt"), shelf.log(1).with_name("7.log.bak")]
    for path in strange:
        path.write_text("mine")

    shelf.forget(ROOMY)

    assert all(path.exists() for path in strange)


def test_a_pass_that_is_told_to_stop_ends_between_two_steps(shelf):
    ids = shelf.runs("ssssss")
    stopping = threading.Event()
    stopping.set()

    done = shelf.forget(RetentionSettings(runs=2), stopping)

    assert row_ids(shelf) == ids
    assert done == Forgotten(log_bytes=done.log_bytes)
