"""Where the last lines of a run's output begin, also where a limit has dropped the middle of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cronpilot.client import Client

_PIECE = 1 << 18  # bytes read at once


async def start_of_last(client: Client, run_id: int, lines: int) -> int:
    """Where the last `lines` lines begin, found from the end backwards.

    A dropped part counts for no line. Whoever asks for more lines than follow it gets it from its
    first byte, so that what is said of it is all of it.
    """
    end = (await client.read_log(run_id, limit=1)).size
    if lines == 0:
        return end
    # The newline that ends the last line begins no further one.
    missing, upto = lines, max(end - 1, 0)
    while upto > 0:
        start, data = await _whole(client, run_id, upto)
        found = data.count(b"\n")
        if found >= missing:
            place = len(data)
            for _ in range(missing):
                place = data.rindex(b"\n", 0, place)
            return start + place + 1
        missing -= found
        upto = start
        if start > 0 and await _is_dropped(client, run_id, start - 1):
            missing -= 1  # the rest of the line that was cut
            gap = await _first(0, start - 1, lambda at: _is_dropped(client, run_id, at))
            if missing == 0:
                return gap
            upto = max(gap - 1, 0)  # if that byte is a newline: as above
    return 0


async def _whole(client: Client, run_id: int, upto: int) -> tuple[int, bytes]:
    """Where what stands before that byte begins, back to a dropped part at the most; and it."""

    async def read(start: int) -> bytes | None:
        chunk = await client.read_log(run_id, offset=start, limit=upto - start)
        return chunk.data if chunk.end == upto and len(chunk.data) == upto - start else None

    async def is_whole(start: int) -> bool:
        return await read(start) is not None

    start = max(upto - _PIECE, 0)
    data = await read(start)
    if data is None:
        start = await _first(start, upto - 1, is_whole)
        data = await read(start)
    return start, data or b""


async def _is_dropped(client: Client, run_id: int, at: int) -> bool:
    return len((await client.read_log(run_id, offset=at, limit=1)).data) > 1


async def _first(low: int, high: int, holds: Callable[[int], Awaitable[bool]]) -> int:
    """The first of these places where it holds, as it does from there on; it does at `high`."""
    while low < high:
        middle = (low + high) // 2
        if await holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
