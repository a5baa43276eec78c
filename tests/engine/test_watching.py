"""A running engine follows its tasks file by itself."""

from __future__ import annotations

import asyncio
import os

import pytest

from cronpilot.client.messages import TaskQuery
from cronpilot.config import watcher
from cronpilot.errors import StorageProblem
from tests.engine.conftest import until

ONE = "name: one\ncommand: 'true'\nschedule: manual"
TWO = "name: two\ncommand: 'true'\nschedule: manual"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Looks often, and is soon content."""
    monkeypatch.setattr(watcher, "LOOK_S", 0.02)
    monkeypatch.setattr(watcher, "SETTLE_S", 0.05)


async def has(engine, *names: str) -> None:
    async def are_there() -> bool:
        return [row.name for row in (await engine.tasks(TaskQuery())).rows] == list(names)

    await until(are_there, f"tasks {names}")


async def says(engine, words: str) -> None:
    async def is_said() -> bool:
        return any(words in banner.text for banner in (await engine.status()).banners)

    await until(is_said, words)


async def is_content(engine) -> None:
    async def no_banner() -> bool:
        return not (await engine.status()).banners

    await until(no_banner, "an end of the banners")


async def test_a_changed_file_is_applied(bench):
    bench.tasks(ONE)
    async with bench.engine(watch=True) as engine:
        await has(engine, "one")
        bench.tasks(ONE, TWO)
        await has(engine, "one", "two")
        bench.tasks(TWO)
        await has(engine, "two")


async def test_a_file_with_a_mistake_is_said_and_applied_when_it_is_mended(bench):
    bench.tasks(ONE)
    async with bench.engine(watch=True) as engine:
        bench.tasks_file.write_text("tasks:\n  - name: two\n    command: x\n    schedule: dayly\n")
        await says(engine, f"{bench.tasks_file}:4: tasks[0].schedule: 'dayly' is not a schedule.")
        await has(engine, "one")
        bench.tasks(ONE, TWO)
        await has(engine, "one", "two")
        await is_content(engine)


async def test_a_bad_file_is_still_bad_after_a_restart_and_then_mended(bench):
    bench.tasks(ONE)
    async with bench.engine():
        pass
    bench.tasks_file.write_text("tasks: [")
    async with bench.engine(watch=True) as engine:
        await says(engine, f"{bench.tasks_file}:1:")
        await has(engine, "one")
        bench.tasks(TWO)
        await has(engine, "two")
        await is_content(engine)


async def test_a_file_that_is_taken_away_archives_nothing_and_is_read_when_it_is_back(bench):
    bench.tasks(ONE)
    async with bench.engine(watch=True) as engine:
        bench.tasks_file.unlink()
        await says(engine, "there is no such file")
        await has(engine, "one")
        bench.tasks(ONE, TWO)
        await has(engine, "one", "two")
        await is_content(engine)


async def test_a_change_that_finds_no_room_in_the_database_is_applied_later(bench, monkeypatch):
    bench.tasks(ONE)
    async with bench.engine(watch=True) as engine:
        write, full = engine._follower._write, asyncio.Event()

        async def refuse(closure):
            if full.is_set():
                raise StorageProblem("The disk is full.", "Make room.")
            return await write(closure)

        monkeypatch.setattr(engine._follower, "_write", refuse)
        full.set()
        bench.tasks(ONE, TWO)
        await says(engine, "The disk is full.")
        full.clear()
        await has(engine, "one", "two")
        await is_content(engine)


async def test_a_link_that_leads_elsewhere_is_followed(bench, tmp_path):
    bench.tasks(ONE)
    real = tmp_path / "release-1.yaml"
    bench.tasks_file.rename(real)
    bench.tasks_file.symlink_to(real)
    async with bench.engine(watch=True) as engine:
        await has(engine, "one")
        link, bench.tasks_file = bench.tasks_file, tmp_path / "release-2.yaml"
        bench.tasks(ONE, TWO)
        (tmp_path / "new").symlink_to(bench.tasks_file)
        os.rename(tmp_path / "new", link)
        await has(engine, "one", "two")


async def test_what_a_reload_has_read_is_not_applied_again(bench):
    bench.tasks(ONE)
    async with bench.engine(watch=True) as engine:
        bench.tasks(ONE, TWO)
        await engine.reload()
        await engine.change_task(1, {"timeout": "5m"})
        bench.tasks(ONE)
        await has(engine, "one")

        assert (await engine.task(1)).timeout == "5m"
