"""What only the fake client can do; the protocol itself is held to its word in test_contract.py."""

from __future__ import annotations

import asyncio

import pytest

from cronpilot.client.fake import NOON, FakeClient, make_run, make_task
from cronpilot.client.messages import RunQuery, TaskQuery
from cronpilot.domain.run import Status
from cronpilot.errors import NoEngine


def fake(**more):
    tasks = [make_task(1, "backup-db", tags=["nightly"]), make_task(2, "probe", command="ping x")]
    return FakeClient(tasks, clock=lambda: NOON, **more)


@pytest.mark.parametrize(
    ("text", "ids"), [("BACK", [1]), ("nightly", [1]), ("ping", [2]), ("", [1, 2])]
)
async def test_a_text_matches_names_tags_and_commands(text, ids):
    page = await fake().tasks(TaskQuery(text=text))
    assert [task.id for task in page.rows] == ids


async def test_the_counts_of_a_task_follow_its_runs():
    client = fake()
    client.put_run(make_run(1))
    assert (await client.task(1)).running == 1

    client.finish(1, Status.FAILED, exit_code=2)

    task = await client.task(1)
    assert (task.running, task.runs, task.success_rate) == (0, 1, 0.0)
    assert (await client.status()).failing_tasks == 1


async def test_while_it_is_lost_nobody_answers_and_streams_break_off():
    client = fake()
    stream = client.events()
    listening = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    client.lose()

    with pytest.raises(NoEngine):
        await listening
    with pytest.raises(NoEngine):
        await client.status()
    client.come_back()
    assert (await client.status()).total_tasks == 2


async def test_a_log_is_followed_to_its_end():
    client = fake(runs=[make_run(1)], logs={1: b"one\n"})
    said = []

    async def follow():
        async for chunk in client.follow_log(1):
            said.append(chunk.data)

    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    client.append_log(1, b"two\n")
    await asyncio.sleep(0)
    client.finish(1)
    await following
    assert b"".join(said) == b"one\ntwo\n"


async def test_what_was_asked_for_is_remembered():
    client = fake()
    run = await client.run_now(2, request_id="a")
    again = await client.run_now(2, request_id="a")
    await client.stop_run(run.id, signal="KILL")

    assert again.id == run.id
    assert client.calls == [("run_now", 2), ("stop_run", run.id, "KILL")]
    assert (await client.runs(RunQuery(active=True))).rows == []
