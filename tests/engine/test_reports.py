"""What the runner reports, written into rows: each report may come twice, or too late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from cronpilot.domain.run import Status
from cronpilot.engine.reports import Applied, apply_reports
from cronpilot.runner.messages import AttemptKey, Ended, NeverStarted, Started
from cronpilot.storage import runs, tasks
from cronpilot.storage.database import Database
from tests.databases import lay_ready
from tests.storage.making import MINUTE, NOON, add_task, slot

FIRST, SECOND = AttemptKey(1, 1), AttemptKey(1, 2)
LATER = NOON + 5 * MINUTE


class Book:
    """A database with one run of a task that retries at once, and what is reported about it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.task = add_task(database, max_retries=5, retry_delay="0s")
        database.write(lambda c: runs.record(c, [slot(self.task)])).result()

    def launch(self, number: int) -> None:
        """The run is claimed for that launch."""

        def claim(connection: Any) -> None:
            connection.execute(
                text(f"UPDATE run SET status='queued', retry_at=NULL, launches={number - 1}")
            )
            state = runs.state(connection, 1)
            assert state is not None
            run = {"id": 1, "launches": number - 1, "attempts": state["attempts"]}
            runs.claim(connection, [run], [None], boot_id="boot", at=NOON)

        self._database.write(claim).result()

    def take_away(self) -> None:
        """Its task is archived."""
        self._database.write(
            lambda c: tasks.set_columns(c, self.task, archived_at=NOON)
        ).result()  # fmt: skip

    def tell(self, *reports: Started | Ended | NeverStarted) -> Applied:
        return self._database.write(
            lambda c: apply_reports(c, reports, lambda *_: None, LATER)
        ).result()  # fmt: skip

    @property
    def run(self) -> dict[str, Any]:
        state = self._database.read(lambda c: runs.state(c, 1))
        assert state is not None
        return state

    @property
    def counted(self) -> int:
        return int(self._database.read(lambda c: tasks.views(c, [self.task]))[0]["runs"])


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    database = Database(lay_ready(tmp_path / "state"))
    yield Book(database)
    database.close()


def started(key: AttemptKey, minute: int = 0) -> Started:
    return Started(key, 4242, NOON + minute * MINUTE)


def ended(key: AttemptKey, code: int | None = 0, why: str = "", **more: Any) -> Ended:
    return Ended(key, code, None, why, ended_at=NOON + MINUTE, **more)


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(started(FIRST), id="a start"),
        pytest.param(ended(FIRST), id="an end"),
        pytest.param(NeverStarted(FIRST, "no process", retry=True), id="a start that never was"),
    ],
)
def test_what_is_told_of_an_earlier_launch_is_nothing_about_this_one(book, late):
    book.launch(1)
    book.tell(started(FIRST), ended(FIRST, 1))
    book.launch(2)
    before = book.run

    book.tell(late)

    assert book.run == before
    assert before["status"] is Status.STARTING


@pytest.mark.parametrize("again", [started(FIRST), ended(FIRST, 1), ended(FIRST)])
def test_what_is_told_once_more_of_a_run_that_is_over_changes_and_counts_nothing(book, again):
    book.launch(1)
    book.tell(started(FIRST))
    book.tell(ended(FIRST, started_at=NOON))
    before = book.run

    book.tell(again)

    assert (before["status"], before["attempts"]) == (Status.SUCCESS, 1)
    assert (book.run, book.counted) == (before, 1)


def test_an_end_that_is_told_twice_at_once_is_counted_once(book):
    book.launch(1)

    book.tell(started(FIRST), ended(FIRST, started_at=NOON), ended(FIRST, started_at=NOON))

    assert (book.run["attempts"], book.counted) == (1, 1)


def test_an_end_with_the_start_that_a_dead_engine_did_not_write_is_an_attempt(book):
    book.launch(1)

    book.tell(ended(FIRST, started_at=NOON))

    assert (book.run["attempts"], book.run["started_at"]) == (1, NOON)


@pytest.mark.parametrize("is_heard_first", [True, False])
def test_a_command_that_was_never_reached_is_no_attempt(book, is_heard_first):
    book.launch(1)
    if is_heard_first:
        book.tell(started(FIRST))

    book.tell(ended(FIRST, 125, "setup", started_at=NOON))

    run = book.run
    assert (run["status"], run["attempts"], run["started_at"]) == (Status.ERROR, 0, None)


def test_attempts_add_up_their_time_and_keep_the_first_start_and_the_most_memory(book):
    book.launch(1)
    book.tell(ended(FIRST, 1, started_at=NOON, cpu_s=1.5, max_rss=900))
    book.launch(2)
    book.tell(ended(SECOND, started_at=NOON + 3 * MINUTE, cpu_s=0.25, max_rss=400))

    run = book.run
    assert (run["attempts"], run["started_at"]) == (2, NOON)
    assert timedelta(milliseconds=run["cpu_ms"]) == timedelta(seconds=1.75)
    assert run["max_rss"] == 900


def test_a_start_that_never_was_of_a_task_that_is_taken_away_is_not_tried_again(book):
    book.launch(1)
    book.take_away()

    told = book.tell(NeverStarted(FIRST, "no process", retry=True))

    assert (book.run["status"], told.not_started) == (Status.STOPPED, [])


# --- which records may go ------------------------------------------------------------------------


def test_with_an_end_the_records_of_all_launches_up_to_it_may_go(book):
    book.launch(1)
    book.launch(2)

    assert book.tell(ended(SECOND, started_at=NOON)).over == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("is_revoked", "over"),
    [
        pytest.param(False, [FIRST], id="refused by the keeper: it has read the order"),
        pytest.param(True, [], id="revoked by us: the order may still come, and must be refused"),
    ],
)
def test_the_record_of_a_launch_that_never_was(book, is_revoked, over):
    book.launch(1)

    told = book.tell(NeverStarted(FIRST, "no process", retry=True, revoked=is_revoked))

    assert (told.over, told.not_started) == (over, [1])
    assert book.run["status"] is Status.QUEUED


@pytest.mark.parametrize(("launch", "status"), [(49, Status.QUEUED), (50, Status.ERROR)])
def test_a_start_that_never_happens_is_given_up_at_the_fiftieth_launch(book, launch, status):
    book.launch(launch)

    book.tell(NeverStarted(AttemptKey(1, launch), "no process", retry=True))

    assert (book.run["status"], book.run["attempts"]) == (status, 0)
