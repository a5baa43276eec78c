"""The HTTP client where the other side is gone, strange, silent or hard to reach."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from cronpilot.client import http_connection
from cronpilot.client.fake import FakeClient, make_run, make_task
from cronpilot.client.http import HttpClient
from cronpilot.domain.access import Role
from cronpilot.errors import CronPilotError, NoEngine, Refused, UsageProblem

from .serving import served

META = b'{"api": 1, "engine": "x", "version": "9.9"}'


@asynccontextmanager
async def answering(
    path: Path, answer: Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
) -> AsyncIterator[None]:
    """A server that is no engine: `answer` gets the head of each request."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await answer(await reader.readuntil(b"\r\n\r\n"), writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_unix_server(talk, str(path))
    try:
        yield
    finally:
        server.close()


def say(writer: asyncio.StreamWriter, body: bytes, kind: str = "application/json") -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)


async def test_on_this_machine_nothing_is_asked_through_httpx(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A screen would wait for it to load, and for each of its questions four times as long."""
    monkeypatch.delattr(http_connection, "load_httpx")
    async with (
        served(FakeClient([make_task()]), tmp_path),
        HttpClient.over_socket(tmp_path / "engine.sock", front="tui") as client,
    ):
        assert (await client.status()).total_tasks == 1
        async with aclosing(client.events(after="another-engine:7")) as events:
            assert (await anext(events)).kind == "gap"


@pytest.mark.parametrize("exists", [False, True], ids=["no socket", "a dead engine's socket"])
async def test_nobody_there_is_no_engine(tmp_path: Path, exists: bool) -> None:
    if exists:
        import socket

        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(tmp_path / "engine.sock"))
    client = HttpClient.over_socket(tmp_path / "engine.sock")

    with pytest.raises(NoEngine, match=f"No engine runs on {tmp_path}"):
        await client.status()

    await client.close()


async def test_a_long_path_of_a_missing_directory_is_no_engine(tmp_path: Path) -> None:
    client = HttpClient.over_socket(tmp_path / ("d" * 120) / "engine.sock")

    with pytest.raises(NoEngine):
        await client.status()


async def test_a_path_too_long_for_the_kernel_is_reached(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    async with served(FakeClient([make_task()]), deep) as path:
        client = HttpClient.over_socket(path)

        assert (await client.status()).total_tasks == 1
        await client.close()


async def test_it_reaches_the_engine_again_when_that_has_come_back(tmp_path: Path) -> None:
    client = HttpClient.over_socket(tmp_path / "engine.sock")
    async with served(FakeClient([make_task()]), tmp_path):
        await client.status()
    with pytest.raises(NoEngine):
        await client.status()
    async with served(FakeClient([make_task(), make_task(2, "b")]), tmp_path):
        assert (await client.status()).total_tasks == 2
    await client.close()


async def test_an_answer_is_gone_when_nobody_needs_it_any_more(tmp_path: Path) -> None:
    log = {1: b"x" * 100}
    async with served(FakeClient([make_task()], [make_run()], log), tmp_path) as path:
        client = HttpClient.over_socket(path, front="tui")
        await client.status()
        gc.collect()
        gc.disable()  # a screen with a log at full speed cannot wait for it
        try:
            await client.read_log(1)
            left = [one for one in gc.get_objects() if isinstance(one, httpx.Response)]
        finally:
            gc.enable()
        await client.close()

    assert left == []


async def test_another_version_of_the_api_is_refused(tmp_path: Path) -> None:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        say(writer, META.replace(b'"api": 1', b'"api": 2'))

    async with answering(tmp_path / "engine.sock", answer):
        client = HttpClient.over_socket(tmp_path / "engine.sock")
        with pytest.raises(Refused, match=r"is CronPilot 9.9 and speaks API 2; this is CronPilot"):
            await client.status()
        await client.close()


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"api": "one"}'])
async def test_what_is_no_engine_is_called_so(tmp_path: Path, body: bytes) -> None:
    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        say(writer, body)

    async with answering(tmp_path / "engine.sock", answer):
        client = HttpClient.over_socket(tmp_path / "engine.sock")
        with pytest.raises(CronPilotError, match="gave an answer that cannot be read"):
            await client.status()
        await client.close()


async def test_nonsense_after_a_greeting_is_called_so_too(tmp_path: Path) -> None:
    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        say(writer, META if b"/api/meta" in request else b"<html>")

    async with answering(tmp_path / "engine.sock", answer):
        client = HttpClient.over_socket(tmp_path / "engine.sock")
        for question in (
            client.change_user("anna", role=Role.VIEWER),
            client.remove_user("anna"),
            client.test_notification(),
        ):
            with pytest.raises(CronPilotError, match="gave an answer that cannot be read"):
                await question
        await client.close()


@pytest.mark.parametrize("body", [b"[1]", b"{", b'{"kind": "InvalidFile", "complaints": [1]}'])
async def test_what_is_no_problem_is_not_believed(tmp_path: Path, body: bytes) -> None:
    head = (
        "HTTP/1.1 500 No\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )

    async def answer(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode() + body)

    async with answering(tmp_path / "engine.sock", answer):
        client = HttpClient.over_socket(tmp_path / "engine.sock")
        with pytest.raises(CronPilotError, match="gave an answer that cannot be read"):
            await client.status()
        await client.close()


async def test_an_engine_that_falls_silent_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_connection, "SILENCE_S", 0.2)

    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        if b"/api/meta" in head:
            say(writer, META)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")

    async with answering(tmp_path / "engine.sock", answer):
        client = HttpClient.over_socket(tmp_path / "engine.sock")
        with pytest.raises(NoEngine):
            await anext(client.events())
        with pytest.raises(NoEngine):
            await anext(client.follow_log(1))
        await client.close()


async def test_an_engine_that_stops_ends_the_streams(tmp_path: Path) -> None:
    async with served(FakeClient([make_task()], [make_run()], {1: b"x"}), tmp_path) as path:
        client = HttpClient.over_socket(path)
        chunks = client.follow_log(1)
        await anext(chunks)
    with pytest.raises(NoEngine):
        await anext(chunks)
    await client.close()


async def test_closing_twice_does_no_harm(tmp_path: Path) -> None:
    client = HttpClient.over_socket(tmp_path / "engine.sock")
    await client.close()
    await client.close()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        pytest.param("ftp://host", "is no address of an engine", id="another scheme"),
        pytest.param("https://", "is no address of an engine", id="no host"),
        pytest.param("https://host:70000", "is no address of an engine", id="no port"),
        pytest.param("https://host/?x=1", "is no address of an engine", id="a query"),
        pytest.param("https://anna:secret@host", "can be seen by everybody", id="a password"),
    ],
)
def test_a_bad_address_is_said_in_words(address: str, said: str) -> None:
    with pytest.raises(UsageProblem, match=said) as caught:
        HttpClient.at(address)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "https://localhost:1/prefix"])
async def test_nobody_at_an_address_is_no_engine(address: str) -> None:
    client = HttpClient.at(address, password="x")

    with pytest.raises(NoEngine, match=f"No engine answers at {address}"):
        await client.status()

    await client.close()
