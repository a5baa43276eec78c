"""The server inside the engine's loop: its socket, its silence, its end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cronpilot.api.parts import paced
from cronpilot.api.server import bind_unix, serve
from cronpilot.client.fake import FakeClient, make_run, make_task
from cronpilot.client.http import HttpClient
from cronpilot.client.messages import TaskQuery
from cronpilot.errors import NoEngine, StorageProblem

from ..client.serving import answering
from ..patience import PATIENCE_S


def test_the_socket_is_open_to_its_user_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        sock = bind_unix(tmp_path)
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "engine.sock").stat().st_mode) == 0o600
    sock.close()


def test_the_socket_of_a_dead_engine_is_replaced(tmp_path: Path) -> None:
    bind_unix(tmp_path).close()

    bind_unix(tmp_path).close()

    assert (tmp_path / "engine.sock").is_socket()


def test_a_path_too_long_for_the_kernel_is_bound(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    before = len(list(Path("/proc/self/fd").iterdir()))

    bind_unix(deep).close()

    assert (deep / "engine.sock").is_socket()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_missing_directory_leaves_nothing_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    with pytest.raises(OSError, match="No such file"):
        bind_unix(tmp_path / "missing")

    assert len(list(Path("/proc/self/fd").iterdir())) == before


async def test_a_stop_waits_for_no_open_stream_and_is_silent(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cronpilot.api.server._GRACE_S", 3600)  # what it would wait for them
    engine = FakeClient([make_task()], [make_run()], {1: b"x"})
    stopped = asyncio.Event()
    server = asyncio.create_task(serve(engine, bind_unix(tmp_path), stopped))
    await answering(tmp_path / "engine.sock", server)
    client = HttpClient.over_socket(tmp_path / "engine.sock")
    events, chunks = client.events(after="unknown"), client.follow_log(1)
    await anext(events)
    await anext(chunks)

    stopped.set()
    async with asyncio.timeout(PATIENCE_S):
        await server

    for stream in (events, chunks):
        with pytest.raises(NoEngine):
            await anext(stream)
    await client.close()
    assert capfd.readouterr() == ("", "")


async def test_a_question_that_takes_too_long_does_not_hold_up_the_end(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FakeClient([make_task()])
    stopped = asyncio.Event()
    asked = asyncio.Event()

    async def never(_: TaskQuery) -> None:
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(engine, "tasks", never)
    server = asyncio.create_task(serve(engine, bind_unix(tmp_path), stopped))
    await answering(tmp_path / "engine.sock", server)
    client = HttpClient.over_socket(tmp_path / "engine.sock")
    question = asyncio.create_task(client.tasks(TaskQuery()))
    await asked.wait()

    stopped.set()
    async with asyncio.timeout(PATIENCE_S):
        await server
    await asyncio.gather(question, return_exceptions=True)

    assert question.exception() is not None
    await client.close()
    assert capfd.readouterr() == ("", "")


async def test_being_cancelled_ends_it_at_once(tmp_path: Path) -> None:
    server = asyncio.create_task(serve(FakeClient(), bind_unix(tmp_path), asyncio.Event()))
    await answering(tmp_path / "engine.sock", server)

    server.cancel()
    with pytest.raises(asyncio.CancelledError):
        await server

    with pytest.raises(ConnectionRefusedError), socket.socket(socket.AF_UNIX) as late:
        late.connect(str(tmp_path / "engine.sock"))


async def test_signals_stay_with_whoever_runs_the_process(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    stopped = asyncio.Event()
    server = asyncio.create_task(serve(FakeClient(), bind_unix(tmp_path), stopped))
    await answering(tmp_path / "engine.sock", server)

    during = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    stopped.set()
    await server

    assert during == before


async def test_a_listener_who_leaves_is_forgotten(tmp_path: Path) -> None:
    engine, stopped = FakeClient([make_task()]), asyncio.Event()
    server = asyncio.create_task(serve(engine, bind_unix(tmp_path), stopped))
    await answering(tmp_path / "engine.sock", server)
    client = HttpClient.over_socket(tmp_path / "engine.sock")
    events = client.events(after="unknown")
    await anext(events)
    assert len(engine._listeners) == 1

    await events.aclose()  # type: ignore[attr-defined]

    async with asyncio.timeout(PATIENCE_S):
        while engine._listeners:
            await asyncio.sleep(0.01)
    await client.close()
    stopped.set()
    await server


# --- pacing --------------------------------------------------------------------------------------


async def test_a_silent_stream_beats() -> None:
    async def silent() -> AsyncIterator[str]:
        await asyncio.Event().wait()
        yield "never"

    stream = paced(silent(), (asyncio.Event(),), every_s=0.01)

    assert [await anext(stream) for _ in range(3)] == [None, None, None]
    await stream.aclose()


async def test_the_first_beat_comes_when_the_source_listens() -> None:
    steps: list[str] = []

    async def source() -> AsyncIterator[str]:
        steps.append("listens")
        yield "item"

    stream = paced(source(), (asyncio.Event(),))

    assert await anext(stream) is None
    assert steps == ["listens"]
    assert [item async for item in stream] == ["item"]


async def test_the_end_ends_a_stream_that_waits() -> None:
    closed: list[str] = []

    async def silent() -> AsyncIterator[str]:
        try:
            await asyncio.Event().wait()
            yield "never"
        finally:
            closed.append("closed")

    ending = asyncio.Event()
    stream = paced(silent(), (asyncio.Event(), ending))
    await anext(stream)
    asyncio.get_running_loop().call_soon(ending.set)

    assert [item async for item in stream] == []
    assert closed == ["closed"]


async def test_a_source_that_fails_ends_its_stream_with_a_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def failing() -> AsyncIterator[str]:
        yield "one"
        raise StorageProblem("The disk is full.")

    items = [item async for item in paced(failing(), (asyncio.Event(),))]

    assert items == [None, "one"]
    assert caplog.messages == ["A stream ended early: The disk is full."]
