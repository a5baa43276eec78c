"""Staying in touch with an engine."""

from __future__ import annotations

import asyncio

import pytest

from cronpilot.client.fake import FakeClient, make_task
from cronpilot.errors import LogInRefused, NoEngine, TooManyRequests
from cronpilot.tui import connection
from cronpilot.tui.connection import Connection

from ..patience import PATIENCE_S


class Notes:
    """Writes down what it hears."""

    def __init__(self):
        self.heard_of = []

    def connected(self, status):
        self.heard_of.append("connected")

    def lost(self, error):
        self.heard_of.append(type(error).__name__)

    def heard(self, event):
        self.heard_of.append(event.kind)

    def answered(self, status):
        self.heard_of.append("answered")


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Retries and heartbeats a hundred times as often."""
    monkeypatch.setattr(connection, "RETRY", 0.01)
    monkeypatch.setattr(connection, "HEARTBEAT", 0.04)


async def until(condition):
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
async def stay(notes):
    """Starts a connection to what `connect` gives, and ends it."""
    tasks = []

    def start(connect):
        one = Connection(connect, notes)
        tasks.append(asyncio.create_task(one.stay()))
        return one

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_it_connects_listens_and_asks_now_and_then(stay, notes):
    client = FakeClient()

    async def connect():
        return client

    one = stay(connect)
    await until(lambda: "answered" in notes.heard_of)
    client.put_task(make_task())
    await until(lambda: "task_changed" in notes.heard_of)
    assert notes.heard_of[0] == "connected"
    assert one.client is client


async def test_it_tries_until_an_engine_is_there(stay, notes):
    client = FakeClient()
    client.lose()

    async def connect():
        await client.status()
        return client

    one = stay(connect)
    await until(lambda: notes.heard_of.count("NoEngine") > 2)
    assert one.client is None
    client.come_back()
    await until(lambda: "connected" in notes.heard_of)


async def test_a_broken_stream_of_events_is_a_lost_engine(stay, notes):
    client = FakeClient()

    async def connect():
        return client

    one = stay(connect)
    await until(lambda: "connected" in notes.heard_of)
    client.lose()
    await until(lambda: "NoEngine" in notes.heard_of)
    assert one.client is None


async def test_an_engine_that_is_silent_is_lost(stay, notes):
    class Frozen(FakeClient):
        frozen = False

        async def status(self):
            if self.frozen:
                await asyncio.sleep(3600)
            return await super().status()

    client = Frozen()

    async def connect():
        return client

    stay(connect)
    await until(lambda: "connected" in notes.heard_of)
    client.frozen = True
    await until(lambda: "NoEngine" in notes.heard_of)


async def test_the_reason_of_a_failed_connect_is_passed_on(stay, notes):
    async def connect():
        raise NoEngine("/var/lib/cronpilot")

    stay(connect)
    await until(lambda: notes.heard_of)
    assert notes.heard_of[0] == "NoEngine"


def test_a_refused_log_in_is_not_tried_again_in_haste():
    too_often = TooManyRequests("Too many log-ins have failed.")
    too_often.wait_s = 12.0

    assert connection._patience(LogInRefused()) >= 30
    assert connection._patience(too_often) == 12
    assert connection._patience(NoEngine("x")) == connection.RETRY
