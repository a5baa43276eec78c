"""What the routes share: the engine, ids, and how streams begin, beat and end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Path, Request, Response

from cronpilot.api.masking import for_viewer
from cronpilot.api.rights import identity_of
from cronpilot.client import Client
from cronpilot.client.messages import RunPage, RunQuery, TaskView
from cronpilot.client.streams import HEARTBEAT_S
from cronpilot.domain.access import Role
from cronpilot.errors import CronPilotError, UsageProblem

_log = logging.getLogger(__name__)

MAX_ID = 2**53  # what every JSON reader takes for a whole number

TaskId = Annotated[int, Path(ge=1, le=MAX_ID)]
RunId = Annotated[int, Path(ge=1, le=MAX_ID)]

T = TypeVar("T")
Endings = tuple[asyncio.Event, ...]
"""Any of them ends a stream: the engine stops, or its reader may not see the same any more."""


async def _engine(request: Request) -> Client:
    engine: Client = request.app.state.engine
    return engine if identity_of(request).role.includes(Role.OPERATOR) else for_viewer(engine)


async def _ending(request: Request) -> Endings:
    ending: asyncio.Event = request.app.state.ending
    of_user: asyncio.Event | None = getattr(request.state, "streams_end", None)
    return (ending,) if of_user is None else (ending, of_user)


Engine = Annotated[Client, Depends(_engine)]
Ending = Annotated[Endings, Depends(_ending)]


async def _if_version(if_match: Annotated[str | None, Header()] = None) -> int | None:
    """The version that `If-Match: "3"` asks for; None without the header, and for `*`."""
    if if_match is None or if_match.strip() == "*":
        return None
    said = if_match.strip().removeprefix("W/").strip('"')
    if said.isascii() and said.isdigit() and len(said) < 16:
        return int(said)
    raise UsageProblem(f"If-Match: {if_match} is no version.", 'Send the ETag, such as "3".')


IfVersion = Annotated[int | None, Depends(_if_version)]


def tell_version(response: Response, task: TaskView) -> TaskView:
    """Give the answer the task's version as its ETag, for If-Match."""
    response.headers["ETag"] = f'"{task.version}"'
    return task


def tell_total(response: Response, total: int) -> None:
    """How many rows there are in all; nothing where nobody counted."""
    if total >= 0:
        response.headers["X-Total-Count"] = str(total)


def tell_next(request: Request, response: Response, **following: object) -> None:
    """Where the next page is, as a Link header."""
    url = request.url.include_query_params(**following)
    response.headers["Link"] = f'<{url.path}?{url.query}>; rel="next"'


def tell_next_runs(request: Request, response: Response, query: RunQuery, page: RunPage) -> None:
    """Where the next page of runs is; nothing after the last one."""
    if query.active or len(page.rows) < query.limit:
        return
    way = "before" if query.after is None else "after"
    tell_next(request, response, **{way: page.rows[-1].id})


async def paced(
    source: AsyncIterator[T], endings: Endings, every_s: float = HEARTBEAT_S
) -> AsyncGenerator[T | None]:
    """The items of `source`, and None at first and whenever `every_s` passed without one.

    Ends with `source`, or as soon as one of `endings` is set. The first None comes when `source`
    has taken its first step: whoever has seen it misses nothing that happens from then on.
    """
    ends = [asyncio.ensure_future(ending.wait()) for ending in endings]
    upcoming = asyncio.ensure_future(_next(source))
    try:
        await asyncio.sleep(0)
        yield None
        while not any(ending.is_set() for ending in endings):
            await asyncio.wait(
                {*ends, upcoming}, timeout=every_s, return_when=asyncio.FIRST_COMPLETED
            )
            if not upcoming.done():
                if not any(end.done() for end in ends):
                    yield None
                continue
            try:
                item = upcoming.result()
            except StopAsyncIteration:
                return
            except CronPilotError as error:
                # The answer has begun: all that can still be said is that it ends here.
                _log.warning("A stream ended early: %s", error)
                return
            upcoming = asyncio.ensure_future(_next(source))
            yield item
    finally:
        for end in ends:
            end.cancel()
        upcoming.cancel()
        await asyncio.gather(*ends, upcoming, return_exceptions=True)
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()


async def _next(source: AsyncIterator[T]) -> T:
    return await anext(source)
