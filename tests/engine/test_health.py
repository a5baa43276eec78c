"""What a real engine says of its health, and what is known without one."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from cronpilot.domain.run import Status
from cronpilot.engine import health as module
from cronpilot.engine.offline import OfflineClient
from tests.engine.conftest import finished, reached

TASKS = (
    "name: bad\ncommand: exit 3\nschedule: manual",
    "name: good\ncommand: echo hello\nschedule: manual",
)


async def run(engine, name):
    task = await engine.find_task(name)
    started = await engine.run_now(task.id, request_id=f"{name} {datetime.now(UTC)}")
    return await finished(engine, started.id)


async def test_an_engine_tells_what_fails_and_how_it_is_doing_itself(bench):
    bench.tasks(*TASKS)
    async with bench.engine() as engine:
        first, last, good = [await run(engine, name) for name in ("bad", "bad", "good")]
        health = await engine.health()

    failing = health.failing[0]
    assert (failing.task_name, failing.failures, health.failing_tasks) == ("bad", 2, 1)
    assert (failing.last_run.id, failing.last_run.exit_code) == (last.id, 3)
    assert (failing.since, failing.last_success_at) == (first.finished_at, None)
    assert health.engine.pid == os.getpid()
    assert health.disk_size > health.disk_free > 0
    assert health.database_size > 10_000
    assert health.logs_size == good.log_size == 6
    assert health.passed == health.late == health.retrying == []


async def test_a_task_that_succeeds_again_is_no_longer_failing(bench):
    bench.tasks(*TASKS)
    async with bench.engine() as engine:
        await run(engine, "bad")
        task = await engine.find_task("bad")
        await engine.change_task(task.id, {"command": "true"})
        await run(engine, "bad")
        health = await engine.health()

    assert (health.failing, health.failing_tasks) == ([], 0)


async def test_what_waits_for_its_next_attempt_is_told(bench):
    bench.tasks("name: bad\ncommand: exit 1\nschedule: manual\nmax_retries: 1\nretry_delay: 1h")
    async with bench.engine() as engine:
        task = await engine.find_task("bad")
        started = await engine.run_now(task.id, request_id="r")
        await reached(engine, started.id, Status.RETRYING)
        health = await engine.health()

    assert [one.id for one in health.retrying] == [started.id]


async def test_without_an_engine_the_database_tells_the_same(bench):
    bench.tasks(*TASKS)
    async with bench.engine() as engine:
        await run(engine, "bad")
    (bench.state_dir / "engine.log").write_text("one\ntwo\x1b[2J\n")
    client = OfflineClient(bench.database, bench.state_dir, max_workers=1, timezone="UTC")
    health = await client.health()
    await client.close()

    assert health.engine is None
    assert [one.task_name for one in health.failing] == ["bad"]
    assert health.engine_log == ["one", "two\\x1b[2J"]


async def test_what_was_measured_on_the_disk_is_remembered_for_a_while(bench, monkeypatch):
    bench.tasks(*TASKS)
    async with bench.engine() as engine:
        await engine.health()
        await run(engine, "good")
        remembered = (await engine.health()).logs_size
        monkeypatch.setattr(module, "MEASURED_FOR_S", 0)
        measured = (await engine.health()).logs_size

    assert (remembered, measured) == (0, 6)


async def test_logs_that_take_too_long_to_measure_are_measured_in_part(bench, monkeypatch):
    monkeypatch.setattr(module, "MEASURE_S", -1)
    async with bench.engine() as engine:
        health = await engine.health()

    assert (health.logs_size, health.logs_measured) == (0, False)
