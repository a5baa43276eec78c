"""HTTP over a unix socket, each question on a connection of its own.

httpx takes longer to load than an engine to answer, a quarter of `cronpilot list`, and four times
as long for a question: a screen asks two or three with each key.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

from cronpilot.client.http_text import read_head, request_of

_LONGEST_HEAD = 1 << 16  # bytes: of what is no engine
_PIECE = 1 << 16  # bytes of a stream that are handed on at once, where nobody says how many
_BROKEN = (OSError, EOFError, asyncio.LimitOverrunError, ValueError)


class Answer:
    """A whole answer, with the attributes of `httpx.Response` that we read."""

    def __init__(self, status_code: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status_code, self.headers, self.content = status_code, headers, content

    def json(self) -> Any:
        return json.loads(self.content)


class Stream:
    """An answer that comes piece by piece: iterate over it, or read it whole."""

    def __init__(
        self, status_code: int, headers: Mapping[str, str], reader: asyncio.StreamReader
    ) -> None:
        self.status_code, self.headers = status_code, headers
        self._reader, self._is_chunked = reader, _is_chunked(headers)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """What was sent at once. Raises Unreachable: they hung up before the end."""
        try:
            piece = await (_chunk(self._reader) if self._is_chunked else self._reader.read(_PIECE))
        except _BROKEN as error:
            raise Unreachable from error
        if not piece:
            raise StopAsyncIteration
        return piece

    async def whole(self) -> Answer:
        """All that is still to come; for an answer that has an end."""
        try:
            content = await _body(self._reader, self.headers)
        except _BROKEN as error:
            raise Unreachable from error
        return Answer(self.status_code, self.headers, content)


class Unreachable(Exception):
    """Nobody listens, or not to us; they hung up, or speak something else. Its cause says which."""


class Silent(Exception):
    """It was asked, and does not answer."""


async def ask(
    socket: str,
    method: str,
    path: str,
    *,
    headers: Mapping[str, str],
    params: Mapping[str, Any] | None = None,
    body: Any = None,
    connect_s: float,
    answer_s: float | None,
) -> Answer:
    """One question on a connection of its own.

    Args:
        body: becomes JSON; None: there is none.
        answer_s: how long an answer may take; None: for ever.
    Raises:
        Unreachable, Silent.
        UnicodeEncodeError: a word of the question is no text.
    """
    request = request_of(method, path, headers, params, body)
    async with _connected(socket, connect_s) as (reader, writer), _answering(answer_s):
        writer.write(request)
        await writer.drain()
        status, headers = read_head(await reader.readuntil(b"\r\n\r\n"))
        content = b"" if status == 204 else await _body(reader, headers)
        return Answer(status, headers, content)


@asynccontextmanager
async def stream(
    socket: str,
    path: str,
    *,
    headers: Mapping[str, str],
    params: Mapping[str, Any],
    connect_s: float,
    answer_s: float,
) -> AsyncIterator[Stream]:
    """A question whose answer comes as long as one listens; `answer_s`: until it begins to.

    Raises:
        Unreachable, Silent.
    """
    request = request_of("GET", path, headers, params, None)
    async with _connected(socket, connect_s) as (reader, writer):
        async with _answering(answer_s):
            writer.write(request)
            await writer.drain()
            status, headers = read_head(await reader.readuntil(b"\r\n\r\n"))
        yield Stream(status, headers, reader)


@asynccontextmanager
async def _answering(answer_s: float | None) -> AsyncIterator[None]:
    """Say in our words that they did not."""
    try:
        async with asyncio.timeout(answer_s):
            yield
    except TimeoutError as error:
        raise Silent from error
    except _BROKEN as error:
        raise Unreachable from error


@asynccontextmanager
async def _connected(
    socket: str, connect_s: float
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    try:
        async with asyncio.timeout(connect_s):
            reader, writer = await asyncio.open_unix_connection(socket, limit=_LONGEST_HEAD)
    except OSError as error:  # TimeoutError is one of them
        raise Unreachable from error
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _is_chunked(headers: Mapping[str, str]) -> bool:
    return headers.get("transfer-encoding", "").lower() == "chunked"


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if _is_chunked(headers):
        found = []
        while chunk := await _chunk(reader):
            found.append(chunk)
        return b"".join(found)
    length = headers.get("content-length")
    if length is None:
        return await reader.read()  # until it hangs up
    return await reader.readexactly(int(length))


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    """The next one; empty after the last."""
    length = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
    chunk = await reader.readexactly(length)
    await reader.readuntil(b"\r\n")
    return chunk
