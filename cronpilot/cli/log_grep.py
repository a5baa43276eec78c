"""Only the lines of a run's output that match."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from cronpilot.client import Client
    from cronpilot.client.log_search import LogMatch, LogMatches, LogQuery

_LOOK_S = 0.2  # how often the log of a run that goes on is looked through
_PIECE = 1 << 18  # bytes read at once to print lines as they are


class Wanted(NamedTuple):
    """What `--grep` and its companions ask for."""

    pattern: str
    regex: bool = False
    case: bool = False
    last: int | None = None  # only so many, the last ones

    def query(self, offset: int, **more: Any) -> LogQuery:
        from cronpilot.client.log_search import MOST_LINES, LogQuery

        given: dict[str, Any] = {"offset": offset, "limit": MOST_LINES, **more}
        return LogQuery(pattern=self.pattern, regex=self.regex, case=self.case, **given)


async def matches(
    client: Client, run_id: int, wanted: Wanted, *, follow: bool
) -> AsyncIterator[list[LogMatch]]:
    """Matching lines in their order; with `follow` until the run has ended."""
    start = 0
    if wanted.last is not None:
        found, start = await _last(client, run_id, wanted)
        yield found
        if not follow:
            return
    while True:
        step = await client.search_log(run_id, wanted.query(start))
        yield step.lines
        start = step.end
        if step.done:
            if step.ended or not follow:
                return
            await asyncio.sleep(_LOOK_S)


async def _last(client: Client, run_id: int, wanted: Wanted) -> tuple[list[LogMatch], int]:
    """The last matching lines, and the end of the log from where one may go on."""
    from cronpilot.client.log_search import MOST_LINES

    found: list[LogMatch] = []
    end = at = (await client.read_log(run_id, limit=1)).size
    missing = wanted.last or 0
    while missing > 0:
        query = wanted.query(at, backwards=True, limit=min(missing, MOST_LINES))
        step: LogMatches = await client.search_log(run_id, query)
        found[:0] = step.lines
        missing -= len(step.lines)
        at = step.start
        if step.done:
            break
    return found, end


async def exact(client: Client, run_id: int, lines: list[LogMatch]) -> bytes:
    """These lines as the run printed them, byte for byte."""
    out = bytearray()
    group: list[LogMatch] = []
    for line in lines:
        if group and line.offset + line.length - group[0].offset > _PIECE:
            out += await _exact_group(client, run_id, group)
            group = []
        group.append(line)
    return bytes(out + await _exact_group(client, run_id, group)) if group else bytes(out)


async def _exact_group(client: Client, run_id: int, lines: list[LogMatch]) -> bytes:
    first, last = lines[0], lines[-1]
    length = max(1, last.offset + last.length - first.offset)
    chunk = await client.read_log(run_id, offset=first.offset, limit=length)
    if chunk.end - chunk.offset != len(chunk.data):  # a limit dropped something between them
        if len(lines) == 1:
            return chunk.data[: first.length] + b"\n"
        return b"".join([await _exact_group(client, run_id, [line]) for line in lines])
    at = first.offset
    return b"".join(
        chunk.data[line.offset - at : line.offset - at + line.length] + b"\n" for line in lines
    )
