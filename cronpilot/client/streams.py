"""The two streams that cross: events (server-sent events) and a followed log (frames).

A frame of a log is one line, `<offset> <end> <size> <ended> <length>`, and then that many raw
bytes; `end` is the offset of the next frame, and not offset + length where output was dropped. An
empty line says that nothing was printed but the connection lives; so does an SSE comment.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from functools import cache
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from cronpilot.client.messages import Event, Gap, LogChunk

HEARTBEAT_S = 15.0  # a stream never stays silent for longer
SILENCE_S = 40.0  # after that without a byte the other side is gone: two heartbeats and some lag
SSE_BEAT = b": here\n\n"
LOG_BEAT = b"\n"
LOG_MEDIA_TYPE = "application/vnd.cronpilot.log-frames"


def pack_event(event: Event) -> bytes:
    """One server-sent event; its data is one line of JSON."""
    name = f"id: {event.id}\n" if event.id else ""
    return f"{name}event: {event.kind}\ndata: {event.model_dump_json()}\n\n".encode()


async def unpack_events(pieces: AsyncIterator[bytes]) -> AsyncGenerator[Event]:
    """The events of a byte stream, however it was cut.

    A kind of event that is not known here (a newer engine's) becomes a Gap: the reader asks again.
    """
    event_id, data = "", ""
    async for line in _lines(pieces):
        field, _, value = line.decode(errors="replace").partition(": ")
        if field == "id":
            event_id = value
        elif field == "data":
            data = value
        elif not line and data:
            yield _event(data, event_id)
            event_id, data = "", ""


def _event(data: str, event_id: str) -> Event:
    try:
        event = _any_event().validate_json(data)
    except ValidationError:
        event = Gap()
    return event.model_copy(update={"id": event_id})


@cache
def _any_event() -> TypeAdapter[Event]:
    """Made when a stream is read: it builds the validators of everything an event may hold."""
    return TypeAdapter(Event)


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line


def pack_chunk(chunk: LogChunk) -> bytes:
    """One frame."""
    header = f"{chunk.offset} {chunk.end} {chunk.size} {int(chunk.ended)} {len(chunk.data)}\n"
    return header.encode() + chunk.data


class _Header(NamedTuple):
    offset: int
    end: int
    size: int
    ended: bool
    length: int


def _header(line: bytes) -> _Header:
    offset, end, size, ended, length = map(int, line.split())
    return _Header(offset, end, size, bool(ended), length)


async def unpack_chunks(run_id: int, pieces: AsyncIterator[bytes]) -> AsyncGenerator[LogChunk]:
    """The pieces of a run's log out of a stream of frames, however it was cut.

    Raises:
        ValueError: these are no frames.
    """
    buffer = bytearray()
    header: _Header | None = None
    async for piece in pieces:
        buffer += piece
        while True:
            if header is None:
                line, newline, _ = buffer.partition(b"\n")
                if not newline:
                    break
                del buffer[: len(line) + 1]
                header = _header(bytes(line)) if line else None
            elif len(buffer) >= header.length:
                data = bytes(buffer[: header.length])
                del buffer[: header.length]
                yield LogChunk(run_id=run_id, offset=header.offset, size=header.size, data=data,
                               ended=header.ended, end=header.end)  # fmt: skip
                header = None
            else:
                break
