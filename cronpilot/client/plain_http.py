"""HTTP over a unix socket for one question after another, as short commands ask them.

httpx takes longer to load than an engine to answer: a quarter of `cronpilot list`. What streams,
and what asks many questions at once, goes through it all the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from cronpilot.client.http_text import read_head, request_of

_LONGEST_HEAD = 1 << 16  # bytes: of what is no engine


class Answer:
    """A whole answer, with the attributes of `httpx.Response` that we read."""

    def __init__(self, status_code: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status_code, self.headers, self.content = status_code, headers, content

    def json(self) -> Any:
        return json.loads(self.content)


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
    reader, writer = await _connect(socket, connect_s)
    try:
        writer.write(request)
        async with asyncio.timeout(answer_s):
            await writer.drain()
            return await _read(reader)
    except TimeoutError as error:
        raise Silent from error
    except (OSError, EOFError, asyncio.LimitOverrunError, ValueError) as error:
        raise Unreachable from error
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def _connect(
    socket: str, connect_s: float
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        async with asyncio.timeout(connect_s):
            return await asyncio.open_unix_connection(socket, limit=_LONGEST_HEAD)
    except OSError as error:  # TimeoutError is one of them
        raise Unreachable from error


async def _read(reader: asyncio.StreamReader) -> Answer:
    status, headers = read_head(await reader.readuntil(b"\r\n\r\n"))
    if status == 204:
        return Answer(status, headers, b"")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return Answer(status, headers, await _chunks(reader))
    length = headers.get("content-length")
    if length is None:
        return Answer(status, headers, await reader.read())  # until it hangs up
    return Answer(status, headers, await reader.readexactly(int(length)))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = []
    while length := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        found.append(await reader.readexactly(length))
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return b"".join(found)
