"""An engine that fails is started again: by who supervises it, or by its screen."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cronpilot.bootstrap import engine_thread, serving
from cronpilot.bootstrap.engine_thread import EngineThread
from cronpilot.client.messages import Gap
from cronpilot.config.settings import load_settings
from cronpilot.engine import bus as bus_module
from cronpilot.engine.bus import Bus
from cronpilot.engine.planner import Changes
from cronpilot.errors import CronPilotError, StorageProblem
from cronpilot.storage.lock import DatabaseLock

from ..patience import PATIENCE_S

DAMAGED = StorageProblem("x.db is damaged.", "Stop the engine and restore a backup of it.")


async def test_what_the_database_does_not_give_now_is_told_when_it_does(monkeypatch):
    monkeypatch.setattr(bus_module, "AGAIN_S", 0.01)
    asked: list[frozenset[int]] = []

    async def load(changes: Changes) -> list[Gap]:
        asked.append(frozenset(changes.task_ids))
        if len(asked) < 3:
            raise DAMAGED
        return [Gap()]

    bus = Bus("id", load)
    running = asyncio.create_task(bus.run())
    events = bus.events(None)
    first = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)  # it listens
    bus.tell(Changes(task_ids={7}))

    assert isinstance(await asyncio.wait_for(first, PATIENCE_S), Gap)
    assert asked == [frozenset({7})] * 3
    assert not running.done()
    running.cancel()


async def test_a_part_that_fails_ends_the_engine_and_is_its_failure(bench):
    async def fail() -> None:
        raise AssertionError("a mistake")

    async with bench.engine() as engine:
        job = asyncio.create_task(fail())
        job.add_done_callback(engine._job_ended)
        await asyncio.wait_for(engine.stopped.wait(), PATIENCE_S)
        assert str(engine.failure) == "a mistake"


@pytest.mark.parametrize("failure", [None, DAMAGED], ids=["ended", "failed"])
async def test_only_an_engine_that_failed_ends_as_a_failure(tmp_path, monkeypatch, failure):
    async def nothing() -> None: ...

    engine = SimpleNamespace(failure=failure, stopped=asyncio.Event(), stop=nothing)
    begun = (engine, asyncio.create_task(nothing()), asyncio.create_task(nothing()))

    async def begin(*_: object) -> Any:
        return begun

    monkeypatch.setattr(serving, "_begin", begin)
    prepared: Any = SimpleNamespace(config=SimpleNamespace(state_dir=tmp_path))
    serve = serving.serve_engine(prepared, lambda _: None)

    if failure is None:
        await serve  # no supervisor starts again what somebody has ended
    else:
        with pytest.raises(StorageProblem):
            await serve


class Beside:
    """An engine beside a screen, whose ends are told beforehand."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ends: list[Exception | None] = []
        self.starts = 0
        self.may_start = threading.Event()
        self.may_start.set()

        async def serve(_: object, ready: Any) -> None:
            self.starts += 1
            await asyncio.to_thread(self.may_start.wait)
            engine = SimpleNamespace(stopped=asyncio.Event())
            ready(engine)
            if not self.ends:
                await engine.stopped.wait()
            elif (end := self.ends.pop(0)) is not None:
                raise end

        monkeypatch.setattr(engine_thread, "serve_engine", serve)
        monkeypatch.setattr(engine_thread, "AGAIN_S", 0.0)
        settings = load_settings(state_dir=folder, environ={}, cwd=folder)
        self.lock = DatabaseLock(settings.database)
        assert self.lock.take()
        self.thread = EngineThread(settings, self.lock)


@pytest.fixture
def beside(tmp_path, monkeypatch):
    made = Beside(tmp_path, monkeypatch)
    yield made
    made.thread.join()
    made.lock.release()


def test_a_screen_starts_its_engine_again_when_that_has_failed(beside):
    beside.ends = [DAMAGED, AssertionError("a mistake"), None]
    said = []
    for _ in range(3):
        try:
            beside.thread.start()
        except CronPilotError as error:
            said.append(error.problem)
        beside.thread.join()

    assert beside.starts == 3
    assert not set(said) - {DAMAGED.problem, "The engine has failed."}


def test_an_engine_that_somebody_has_ended_stays_so(beside):
    beside.ends = [None]
    beside.thread.start()
    beside.thread.join()
    beside.thread.start()
    assert beside.starts == 1


def test_where_another_engine_was_started_meanwhile_it_is_left_to_work(beside, tmp_path):
    beside.ends = [DAMAGED]
    with contextlib.suppress(StorageProblem):
        beside.thread.start()
    beside.thread.join()
    other = DatabaseLock(beside.thread._settings.database)
    assert other.take()
    try:
        beside.thread.start()
    finally:
        other.release()
    assert beside.starts == 1


def test_an_engine_that_still_starts_ends_as_soon_as_it_can_when_its_screen_is_left(beside):
    beside.may_start.clear()
    starting = threading.Thread(target=beside.thread.start, daemon=True)
    starting.start()
    leaving = threading.Thread(target=beside.thread.stop, daemon=True)
    leaving.start()
    beside.may_start.set()
    leaving.join(PATIENCE_S)
    assert not leaving.is_alive()
