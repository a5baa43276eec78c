"""The small HTTP client of this machine, where a server does what uvicorn seldom does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cronpilot.client.plain_http import Silent, Unreachable, ask, stream


@asynccontextmanager
async def saying(path: Path, said: bytes, *, hang_up: bool = True) -> AsyncIterator[list[bytes]]:
    """A server that says this to everybody; what it was asked."""
    asked: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(said)
        if not hang_up:
            await reader.read()  # until they do
        writer.close()

    server = await asyncio.start_unix_server(talk, str(path))
    try:
        yield asked
    finally:
        server.close()


async def get(path: Path, **parts: Any) -> bytes:
    options: dict[str, Any] = {"headers": {}, "connect_s": 30, "answer_s": 30, **parts}
    return (await ask(str(path), "GET", "/x", **options)).content


@pytest.mark.parametrize(
    ("head", "body"),
    [
        pytest.param("Content-Length: 2", "hi", id="of a known length"),
        pytest.param(
            "Transfer-Encoding: chunked", "1\r\nh\r\n1;a=b\r\ni\r\n0\r\n\r\n", id="chunks"
        ),
        pytest.param("Server: x", "hi", id="until it hangs up"),
    ],
)
async def test_a_body_ends_where_its_head_says(tmp_path: Path, head: str, body: str) -> None:
    async with saying(tmp_path / "s", f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}".encode()):
        assert await get(tmp_path / "s") == b"hi"


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", id="half an answer"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="no chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, id="a head without an end"),
    ],
)
async def test_what_is_no_whole_answer_is_nobody(tmp_path: Path, said: bytes) -> None:
    async with saying(tmp_path / "s", said):
        with pytest.raises(Unreachable):
            await get(tmp_path / "s")


async def test_who_does_not_answer_is_silent(tmp_path: Path) -> None:
    async with saying(tmp_path / "s", b"HTTP/1.1 200 OK\r\n", hang_up=False):
        with pytest.raises(Silent):
            await get(tmp_path / "s", answer_s=0.01)


async def test_a_question_says_its_values_as_the_api_reads_them(tmp_path: Path) -> None:
    async with saying(tmp_path / "s", b"HTTP/1.1 204 No Content\r\n\r\n") as asked:
        await get(
            tmp_path / "s", params={"name": "ä & b", "status": ["a", "b"], "bad": True, "at": None}
        )

    assert asked[0].startswith(b"GET /x?name=%C3%A4%20%26%20b&status=a&status=b&bad=true&at= HTTP")


@asynccontextmanager
async def listening(path: Path, **parts: Any) -> AsyncIterator[Any]:
    options: dict[str, Any] = {"headers": {}, "params": {}, "connect_s": 30, "answer_s": 30}
    async with stream(str(path), "/x", **options | parts) as pieces:
        yield pieces


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_stream_is_told_piece_by_piece_to_its_end(tmp_path: Path) -> None:
    said = CHUNKED + b"2\r\nhi\r\n5\r\nthere\r\n0\r\n\r\n"
    async with saying(tmp_path / "s", said), listening(tmp_path / "s") as pieces:
        assert [piece async for piece in pieces] == [b"hi", b"there"]


async def test_a_piece_is_told_while_the_next_is_awaited(tmp_path: Path) -> None:
    said = CHUNKED + b"2\r\nhi\r\n"
    async with saying(tmp_path / "s", said, hang_up=False), listening(tmp_path / "s") as pieces:
        assert await anext(pieces) == b"hi"


async def test_a_stream_that_breaks_off_has_not_ended(tmp_path: Path) -> None:
    said = CHUNKED + b"2\r\nhi\r\n9\r\nhal"
    async with saying(tmp_path / "s", said), listening(tmp_path / "s") as pieces:
        assert await anext(pieces) == b"hi"
        with pytest.raises(Unreachable):
            await anext(pieces)


async def test_who_does_not_begin_to_answer_is_silent(tmp_path: Path) -> None:
    async with saying(tmp_path / "s", b"HTTP/1.1 200 OK\r\n", hang_up=False):
        with pytest.raises(Silent):
            async with listening(tmp_path / "s", answer_s=0.01):
                pass
