"""From a start to a recorded end, with real commands."""

from __future__ import annotations

import asyncio
import os
from itertools import pairwise

import pytest

from cronpilot.client.messages import RunQuery, TaskQuery
from cronpilot.domain.run import Reason, Status, Trigger
from cronpilot.engine import dispatcher
from cronpilot.engine.launch import claim_of
from cronpilot.errors import NotFound, Refused
from cronpilot.runner import environment
from tests.engine.conftest import (
    LONG,
    finished,
    history,
    log_of,
    reached,
    start,
    until,
    until_there,
)


async def test_a_start_by_hand_ends_with_its_code_its_output_and_its_figures(bench):
    bench.tasks("name: hello\ncommand: echo out; echo err >&2; exit 3\nschedule: manual")
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "hello")).id)

        assert (run.status, run.exit_code, run.signal) == (Status.FAILED, 3, None)
        assert (run.trigger, run.scheduled_for, run.attempts) == (Trigger.MANUAL, None, 1)
        assert run.queued_at <= run.started_at <= run.finished_at
        assert await log_of(engine, run.id) == "out\nerr\n"
        assert run.log_size == 8
        task = await engine.find_task("hello")
        assert (task.runs, task.successes, task.success_rate) == (1, 0, 0.0)
        assert task.last_run.id == run.id


async def test_a_schedule_starts_its_task_at_each_slot_once(bench):
    bench.tasks("name: tick\ncommand: 'true'\nschedule: every 1s")
    async with bench.engine() as engine:

        async def three():
            runs = await history(engine, "tick")
            return [run for run in runs if run.status is Status.SUCCESS][2:] and runs

        runs = await until(three)

    slots = [(run.scheduled_for, run.folded_until or run.scheduled_for) for run in runs]
    assert slots == sorted(set(slots))
    gaps = {(b[0] - a[1]).total_seconds() for a, b in pairwise(slots)}
    assert gaps == {1.0}
    assert all(run.trigger is Trigger.SCHEDULE for run in runs)


async def test_slots_go_on_though_a_start_could_not_be_prepared(bench, monkeypatch):
    failures = [RuntimeError("a bug of ours")]

    def fail_once(*about):
        if failures:
            raise failures.pop()
        return claim_of(*about)

    monkeypatch.setattr(dispatcher, "claim_of", fail_once)
    bench.tasks("name: tick\ncommand: 'true'\nschedule: every 1s")
    async with bench.engine() as engine:

        async def a_success():
            runs = await history(engine, "tick")
            return any(run.status is Status.SUCCESS for run in runs)

        assert await until(a_success)

        runs = await history(engine, "tick")

    (ended,) = [run for run in runs if run.status is Status.ERROR]
    assert failures == []
    assert ended.reason is Reason.SETUP
    assert "RuntimeError: a bug of ours" in ended.detail


async def test_a_bug_met_while_an_env_file_is_read_ends_that_run_alone(bench, monkeypatch):
    def fail(*about, **more):
        raise RuntimeError("a bug of ours")

    bench.tasks(
        "name: one\ncommand: 'true'\nschedule: manual\nenv_file: /dev/null",
        "name: other\ncommand: 'true'\nschedule: manual",
    )
    async with bench.engine(max_workers=1) as engine:
        monkeypatch.setattr(environment, "read_env_file", fail)
        one = await finished(engine, (await start(engine, "one")).id)
        other = await finished(engine, (await start(engine, "other")).id)

    assert (one.status, one.reason) == (Status.ERROR, Reason.SETUP)
    assert other.status is Status.SUCCESS


async def test_a_start_is_known_while_its_command_goes_on(bench):
    bench.tasks("name: slow\ncommand: sleep 60\nschedule: manual")
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        (attempt,) = await engine.attempts(run.id)

    assert (run.attempts, run.started_at) == (1, attempt.started_at)
    assert attempt.pid is not None


@pytest.mark.parametrize(
    ("command", "working_dir", "status", "reason", "said"),
    [
        pytest.param("'true'", "/nope/at/all", "error", "setup", "/nope/at/all",
                     id="a missing working directory"),
        pytest.param("[nosuchprogram]", "/", "failed", None, "command not found",
                     id="a command that does not exist"),
        pytest.param("[-x]", "/", "error", "setup", "program", id="an option for a program"),
    ],
)  # fmt: skip
async def test_what_cannot_be_started_says_why(bench, command, working_dir, status, reason, said):
    bench.tasks(
        f"name: bad\ncommand: {command}\nworking_dir: {working_dir}\nschedule: manual",
        "name: good\ncommand: 'true'\nschedule: manual",
    )
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "bad")).id)
        other = await finished(engine, (await start(engine, "good")).id)

    assert (run.status, run.reason) == (status, reason)
    assert said in run.detail
    assert other.status is Status.SUCCESS
    if status == "error":
        assert (run.attempts, run.exit_code) == (0, None)


async def test_the_command_knows_what_it_is(bench):
    bench.tasks(
        "name: 'odd [/] name'\ncommand: env\nschedule: manual\nenv: {COLOUR: deep green}\n"
        "timezone: Asia/Tokyo"
    )
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "odd [/] name")).id)
        found = dict(
            line.split("=", 1) for line in (await log_of(engine, run.id)).splitlines()
        )  # fmt: skip

    assert found["CRONPILOT_TASK"] == "odd [/] name"
    assert found["CRONPILOT_RUN_ID"] == str(run.id)
    assert found["CRONPILOT_ATTEMPT"] == "1"
    assert found["CRONPILOT_STATE_DIR"] == str(bench.state_dir)
    assert found["COLOUR"] == "deep green"
    assert found["TZ"] == "Asia/Tokyo"
    assert "VIRTUAL_ENV" not in found


async def test_an_env_file_that_is_gone_is_the_runs_reason(bench):
    bench.tasks("name: envy\ncommand: 'true'\nenv_file: /nope/env\nschedule: manual")
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "envy")).id)

    assert (run.status, run.reason, run.attempts) == (Status.ERROR, Reason.SETUP, 0)
    assert "/nope/env" in run.detail


async def test_failures_are_retried_with_growing_pauses(bench):
    bench.tasks(
        "name: flaky\ncommand: test $CRONPILOT_ATTEMPT = 3\nschedule: manual\n"
        "max_retries: 3\nretry_delay: 100ms"
    )
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "flaky")).id)
        task = await engine.find_task("flaky")

    assert (run.status, run.attempts) == (Status.SUCCESS, 3)
    assert 0.3 <= run.duration_s < LONG
    assert (task.runs, task.successes) == (1, 1)


async def test_a_run_that_fails_for_good_has_used_up_its_attempts(bench):
    bench.tasks("name: bad\ncommand: 'false'\nschedule: manual\nmax_retries: 1\nretry_delay: 50ms")
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "bad")).id)

    assert (run.status, run.attempts, run.max_attempts) == (Status.FAILED, 2, 2)


async def test_a_retry_holds_no_slot_and_can_be_stopped(bench):
    bench.tasks(
        "name: bad\ncommand: 'false'\nschedule: manual\nmax_retries: 1\nretry_delay: 1h",
        "name: other\ncommand: 'true'\nschedule: manual",
    )
    async with bench.engine(max_workers=1) as engine:
        waiting = await reached(engine, (await start(engine, "bad")).id, Status.RETRYING)
        other = await finished(engine, (await start(engine, "other")).id)
        stopped = await engine.stop_run(waiting.id)

    assert waiting.retry_at is not None
    assert other.status is Status.SUCCESS
    assert (stopped.status, stopped.reason) == (Status.STOPPED, Reason.USER)


async def test_an_attempt_that_is_over_keeps_the_pid_it_had(bench):
    bench.tasks("name: hello\ncommand: 'true'\nschedule: manual")
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "hello")).id)
        attempts = await engine.attempts(run.id)

    assert [(attempt.number, attempt.outcome) for attempt in attempts] == [(1, "success")]
    assert attempts[0].pid is not None


async def test_a_timeout_ends_the_whole_tree(bench):
    bench.tasks(
        "name: slow\ncommand: sleep 300 & echo $!; wait\nschedule: manual\ntimeout: 300ms\n"
        "stop_grace: 200ms"
    )
    async with bench.engine() as engine:
        run = await finished(engine, (await start(engine, "slow")).id)
        child = int(await log_of(engine, run.id))

    assert run.status is Status.TIMEOUT
    assert not os.path.exists(f"/proc/{child}")


async def test_stop_ends_a_run_and_says_who_did_it(bench):
    bench.tasks("name: slow\ncommand: sleep 300\nschedule: manual")
    async with bench.engine() as engine:
        run = await reached(engine, (await start(engine, "slow")).id, Status.RUNNING)
        assert run.pid is not None
        await engine.stop_run(run.id)
        run = await finished(engine, run.id)

        assert (run.status, run.reason, run.signal) == (Status.STOPPED, Reason.USER, 15)
        with pytest.raises(Refused, match="over already"):
            await engine.stop_run(run.id)


async def test_the_same_request_starts_once(bench):
    bench.tasks("name: hello\ncommand: 'true'\nschedule: manual\noverlap: allow")
    async with bench.engine() as engine:
        task = await engine.find_task("hello")
        first = await engine.run_now(task.id, request_id="again")
        await finished(engine, first.id)
        second = await engine.run_now(task.id, request_id="again")

        assert second.id == first.id
        assert len(await history(engine, "hello")) == 1


async def test_what_does_not_exist_is_said_with_the_nearest_name(bench):
    bench.tasks("name: backup\ncommand: 'true'\nschedule: manual")
    async with bench.engine() as engine:
        with pytest.raises(NotFound, match="Did you mean 'backup'"):
            await engine.find_task("bakcup")
        with pytest.raises(NotFound):
            await engine.run_now(99, request_id="x")
        with pytest.raises(NotFound):
            await engine.stop_run(99)
        with pytest.raises(NotFound):
            await engine.run(99)


async def test_a_followed_log_ends_with_its_run(bench):
    bench.tasks("name: count\ncommand: 'for i in 1 2 3; do echo $i; sleep 0.1; done'\n"
                "schedule: manual")  # fmt: skip
    async with bench.engine() as engine:
        run = await start(engine, "count")
        pieces = [chunk async for chunk in engine.follow_log(run.id)]

    assert b"".join(piece.data for piece in pieces) == b"1\n2\n3\n"
    assert pieces[-1].ended


async def test_events_tell_each_state_of_a_run(bench, tmp_path):
    go = tmp_path / "go"
    bench.tasks(f"name: hello\ncommand: {until_there(go)}\nschedule: manual")
    async with bench.engine() as engine:
        seen: list[str] = []

        async def listen() -> None:
            async for event in engine.events():
                if event.kind == "run_changed" and event.run.status not in seen:
                    seen.append(event.run.status)
                if event.kind == "run_changed" and event.run.status is Status.RUNNING:
                    go.touch()
                if event.kind == "run_changed" and event.run.status.is_final:
                    return

        listening = asyncio.create_task(listen())
        await asyncio.sleep(0)
        await start(engine, "hello")
        await asyncio.wait_for(listening, LONG)

    assert seen[-2:] == ["running", "success"]


async def test_a_backup_overwrites_nothing(bench, tmp_path):
    async with bench.engine() as engine:
        path = await engine.backup(str(tmp_path / "copy.db"))
        with pytest.raises(Refused):
            await engine.backup(path)

    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600


async def test_a_backup_to_where_nothing_can_be_written_is_refused_in_words(bench, tmp_path):
    async with bench.engine() as engine:
        with pytest.raises(Refused, match="cannot be written: No such file or directory"):
            await engine.backup(str(tmp_path / "nowhere" / "copy.db"))
        with pytest.raises(Refused, match="exists"):
            await engine.backup(str(tmp_path))


async def test_reading_works_while_the_engine_is_asked_for_everything(bench):
    bench.tasks("name: hello\ncommand: 'true'\nschedule: daily 02:30")
    async with bench.engine() as engine:
        status = await engine.status()
        page = await engine.tasks(TaskQuery(text="hel"))
        by_command = [TaskQuery(text="true", in_commands=yes) for yes in (True, False)]
        assert [(await engine.tasks(query)).total for query in by_command] == [1, 0]
        times = await engine.fire_times(limit=3)
        runs = await engine.runs(RunQuery())

    assert (status.total_tasks, status.active_tasks, status.scheduled_tasks) == (1, 1, 1)
    assert (page.total, page.rows[0].schedule_words) == (1, "every day at 02:30")
    assert [t.scheduled_for.strftime("%H:%M") for t in times] == ["02:30"] * 3
    assert runs.rows == []
