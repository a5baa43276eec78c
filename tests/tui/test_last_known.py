"""The tasks as they were last known, while the engine starts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, timedelta

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_task
from cronpilot.client.messages import LastRun
from cronpilot.domain.run import ACTIVE, Status
from cronpilot.errors import NoEngine
from cronpilot.tui.app import CronPilotApp
from cronpilot.tui.formatting import Marks, last_result, next_run, task_state
from cronpilot.tui.last_known import LastKnown, as_last_known
from cronpilot.tui.task_words import usual

from ..patience import PATIENCE_S
from .conftest import Shown


class Start:
    """A start of a screen with its engine, which answers when it is told to."""

    def __init__(self, client, clock, known):
        self.client, self.clock, self.known = client, clock, known
        self.answers = asyncio.Event()
        self.is_asked = False
        self.failure = None

    async def connect(self):
        self.is_asked = True
        await self.answers.wait()
        if self.failure is not None:
            raise self.failure
        return self.client

    def tasks(self, offset, limit):
        return self.known[offset : offset + limit], len(self.known)

    @asynccontextmanager
    async def screen(
        self, until=lambda text: "last known" in text, size=(120, 36)
    ) -> AsyncIterator[Shown]:
        app = CronPilotApp(
            self.connect, role="owner", host="example", state_dir="/var/lib/cronpilot",
            clock=self.clock, last_known=LastKnown(self.tasks, "Europe/Berlin"),
        )  # fmt: skip
        async with app.run_test(size=size, notifications=True) as pilot:
            shown = Shown(app, pilot, self.client, self.clock)
            await shown.until(lambda: until(shown.text))
            yield shown

    async def be_ready(self, shown):
        self.answers.set()
        await shown.until(lambda: "in all" in shown.text)


def known_tasks(count=3, **fields):
    return [make_task(number, f"task-{number}", **fields) for number in range(1, count + 1)]


@pytest.fixture
def start(clock):
    """Three tasks, of which the second was renamed since: the engine will say so."""
    tasks = [make_task(1, "task-1"), make_task(2, "renamed"), make_task(3, "task-3")]
    return Start(FakeClient(tasks, [], {}, clock), clock, known_tasks())


async def test_they_are_seen_before_the_engine_answers_and_say_that_they_are_old(start):
    async with start.screen() as screen:
        for words in ("task-1", "task-2", "every day at 02:30", "3 last known",
                      "starting the engine"):  # fmt: skip
            assert words in screen.text
        assert screen.dashboard.tasks.has_class("-last-known")


async def test_80_columns_have_room_to_say_it(clock):
    known = known_tasks(10_009)
    start = Start(FakeClient([], [], {}, clock), clock, known)
    async with start.screen(size=(80, 24)) as screen:
        assert "10,009 last known" in screen.text


async def test_times_are_those_of_the_zone_of_the_engine(start):
    async with start.screen() as screen:
        assert "Thu 03:30" in screen.text  # 02:30 UTC


async def test_the_rows_of_the_engine_replace_them_under_cursor_and_marks(start):
    async with start.screen() as screen:
        await screen.press("j", "space", "k")
        await start.be_ready(screen)

        table = screen.dashboard.tasks.table
        assert "renamed" in screen.text
        assert "task-2" not in screen.text
        assert (table.row_id, table.marked) == (2, {2})
        assert screen.dashboard.tasks.marks == {2: "renamed"}
        assert not screen.dashboard.tasks.has_class("-last-known")


async def test_the_keys_of_a_task_work_once_the_engine_has_told_of_it(start):
    async with start.screen() as screen:
        await screen.press("r", "x", "p", "E")
        await screen.until(lambda: "The engine is starting." in screen.text)
        assert screen.app.screen is screen.dashboard

        await start.be_ready(screen)
        assert not screen.client._runs
        await screen.press("r")
        await screen.until(lambda: screen.client._runs)


async def test_nor_does_a_mark_let_a_key_act_too_early(start):
    async with start.screen() as screen:
        await screen.press("space", "r")
        await screen.until(lambda: "The engine is starting." in screen.text)
        assert screen.app.screen is screen.dashboard


async def test_so_does_a_key_that_asks_the_engine_for_anything_else(start):
    async with start.screen() as screen:
        await screen.press("A")
        await screen.until(lambda: "The engine is starting." in screen.text)


async def test_rows_far_down_can_be_looked_at_too(clock):
    known = known_tasks(500)
    start = Start(FakeClient(known, [], {}, clock), clock, known)
    async with start.screen() as screen:
        await screen.press("G")
        await screen.until(lambda: "task-500" in screen.text)
        await start.be_ready(screen)
        assert screen.dashboard.tasks.table.row_id == 500
        assert "task-500" in screen.text


async def test_a_filter_takes_them_away_and_is_answered_by_the_engine(start):
    async with start.screen() as screen:
        await screen.press("/")
        await screen.press(*"name")
        await screen.until(lambda: "task-1" not in screen.text)
        start.answers.set()
        await screen.until(lambda: "1 found" in screen.text)
        assert "renamed" in screen.text


async def test_a_filter_that_is_faster_than_they_are_keeps_them_away(start):
    read, is_asked = threading.Event(), threading.Event()
    tasks = start.tasks

    def slow(offset, limit):
        is_asked.set()
        read.wait(PATIENCE_S)
        return tasks(offset, limit)

    start.tasks = slow
    async with start.screen(until=lambda _: is_asked.is_set()) as screen:
        await screen.press("/", *"name")
        await screen.until(lambda: screen.dashboard.tasks.filter == "name")
        read.set()
        await screen.until(lambda: start.is_asked)
        assert not screen.dashboard.tasks.is_last_known


async def test_they_make_room_for_why_the_engine_does_not_start(start):
    start.failure = NoEngine("/var/lib/cronpilot")
    async with start.screen() as screen:
        start.answers.set()
        await screen.until(lambda: "No engine runs on /var/lib/cronpilot." in screen.text)
        assert "task-1" not in screen.text


async def test_an_engine_that_fails_after_its_first_word_is_not_said_to_start(start, monkeypatch):
    async def never(query):
        await asyncio.Event().wait()

    monkeypatch.setattr(start.client, "tasks", never)
    async with start.screen() as screen:
        start.answers.set()
        await screen.until(lambda: screen.dashboard.status is not None)
        start.failure = NoEngine("/var/lib/cronpilot")
        start.client.lose()
        await screen.until(lambda: "ENGINE NOT ANSWERING" in screen.text)
        await screen.press("r")
        await screen.until(lambda: "Start one: cronpilot --headless" in screen.text)
        assert "3 last known" in screen.text


async def test_without_a_task_there_is_nothing_to_know(clock):
    start = Start(FakeClient([], [], {}, clock), clock, [])
    app = CronPilotApp(
        start.connect, role="owner", host="example", state_dir="/", clock=clock,
        last_known=LastKnown(start.tasks, "UTC"),
    )  # fmt: skip
    async with app.run_test(size=(120, 36)) as pilot:
        shown = Shown(app, pilot, start.client, clock)
        await shown.until(lambda: "Starting the engine ..." in shown.text)
        start.answers.set()
        await shown.until(lambda: "Welcome to CronPilot" in shown.text)


# --- what nobody knows ---------------------------------------------------------------------------


def told(**fields):
    """The words of a row, by column."""
    task, marks = make_task(1, "backup-db", average_duration_s=60.0, **fields), Marks()
    at, left = next_run(task, NOON, UTC)
    last, why = last_result(task, NOON)
    shown = {"state": task_state(task, marks), "next": at, "in": left, "last": last, "why": why,
             "usual": usual(task, NOON, marks)}  # fmt: skip
    return {key: cell.text for key, cell in as_last_known(shown, task, NOON, marks).items()}


@pytest.mark.parametrize("status", sorted(ACTIVE))
def test_a_run_that_had_not_ended_is_not_said_to_go_on(status):
    row = told(last_run=LastRun(id=1, status=status, started_at=NOON - timedelta(hours=3)))
    assert (row["state"], row["usual"].strip(), row["last"]) == ("? unknown", "1m 00s", "")


def test_a_slot_that_has_passed_is_not_counted_down_to():
    assert told(next_run_at=NOON - timedelta(hours=3))["in"] == ""
    assert told(next_run_at=NOON + timedelta(hours=3))["in"] == "3h 00m"


def test_what_was_written_for_good_is_said_as_ever():
    ended = LastRun(id=1, status=Status.FAILED, exit_code=2, finished_at=NOON - timedelta(hours=3))
    assert told(last_run=ended)["state"] == "✗ fail"
    assert told(last_run=ended)["why"] == "exit 2"
    assert told(paused_at=NOON)["state"] == "‖ paused"
