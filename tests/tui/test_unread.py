"""What the engine cannot give, because its database is locked, full or damaged."""

from __future__ import annotations

import pytest

from cronpilot.client.fake import FakeClient, make_run, make_task
from cronpilot.errors import StorageProblem


@pytest.fixture
def client(clock):
    return FakeClient([make_task(1, "echo")], [make_run(7, task_name="echo")], clock=clock)


@pytest.fixture
def refused(monkeypatch):
    """Calls of these names fail; returns how to let them succeed again."""
    monkeypatch.setattr("cronpilot.tui.screens.records.AGAIN_S", 0.05)

    def refuse(client, *names):
        async def fail(*_, **__):
            raise StorageProblem("x.db is damaged.", "Restore a backup of it.")

        for name in names:
            setattr(client, name, fail)
        return lambda: [delattr(client, name) for name in names]

    return refuse


async def test_a_history_that_cannot_be_read_says_why_and_is_read_when_it_can_be(
    show, client, refused
):
    async with show(client) as screen:
        allow = refused(client, "runs")
        await screen.press("4")
        await screen.until(
            lambda: "x.db is damaged." in screen.dashboard.history.table.said_instead
        )
        allow()
        await screen.until(lambda: screen.dashboard.history.table.rows)


async def test_trouble_that_lasts_is_said_once(show, client, refused):
    async with show(client) as screen:
        tries = []
        allow = refused(client, "runs")
        fail = client.runs

        async def count(*_, **__):
            tries.append(1)
            await fail()

        client.runs = count
        await screen.press("4")
        await screen.until(lambda: len(tries) > 6)
        assert screen.text.count("x.db is damaged.") == 2  # in place of the rows, and in the corner
        allow()


async def test_tasks_that_could_not_be_read_are_asked_for_again(show, client, refused):
    allow = refused(client, "tasks")
    async with show(client) as screen:
        await screen.until(lambda: "x.db is damaged." in screen.text)
        allow()
        await screen.until(lambda: screen.dashboard.tasks.table.rows)


async def test_health_that_is_old_says_since_when_and_why(show, client, refused):
    async with show(client) as screen:
        await screen.press("5")
        await screen.until(lambda: "fine" in screen.text)
        allow = refused(client, "health")
        await screen.pass_time(minutes=2)
        await screen.until(lambda: "is as it was at 12:00:00: x.db is damaged." in screen.text)
        allow()
        await screen.pass_time(minutes=2)
        await screen.until(lambda: "as it was" not in screen.text)


async def test_health_that_was_never_read_says_why(show, client, refused):
    async with show(client) as screen:
        refused(client, "health")
        await screen.press("5")
        await screen.until(lambda: "x.db is damaged." in screen.dashboard.health.table.said_instead)
