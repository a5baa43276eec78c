"""What changes, as it changes: server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from cronpilot.api.late_routes import LateRoute
from cronpilot.api.parts import Ending, paced
from cronpilot.api.rights import identity_of
from cronpilot.api.streams import Streams
from cronpilot.client import Client
from cronpilot.client.messages import Event
from cronpilot.client.streams import SSE_BEAT
from cronpilot.domain.access import Role

router = APIRouter(prefix="/api/events", tags=["events"], route_class=LateRoute)


@router.get("", response_class=Response)
async def events(
    request: Request,
    ending: Ending,
    after: Annotated[str | None, Query(max_length=200)] = None,
    last_event_id: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Changed rows from now on; after the id in `after` or Last-Event-ID, what came since it.

    A `gap` says that events were lost: read everything again.
    """
    streams: Streams = request.app.state.streams
    identity = identity_of(request)
    streams.refuse_more(identity.name)
    masked = not identity.role.includes(Role.OPERATOR)
    engine: Client = request.app.state.engine
    facts = engine.events(after=after or last_event_id)
    return StreamingResponse(
        _stream(facts, ending, streams, identity.name, masked),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(
    facts: AsyncIterator[Event], ending: Ending, streams: Streams, name: str, masked: bool
) -> AsyncIterator[bytes]:
    with streams.one_more(name):
        async with aclosing(paced(facts, ending)) as beats:
            async for fact in beats:
                yield SSE_BEAT if fact is None else streams.pack(fact, masked=masked)
