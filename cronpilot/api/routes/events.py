"""What changes, as it changes: server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from cronpilot.api.parts import Ending, Engine, paced
from cronpilot.client import Client
from cronpilot.client.streams import SSE_BEAT, pack_event

router = APIRouter(prefix="/api/events", tags=["events"])


@router.get("", response_class=Response)
async def events(
    engine: Engine,
    ending: Ending,
    after: Annotated[str | None, Query(max_length=200)] = None,
    last_event_id: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Changed rows from now on; after the id in `after` or Last-Event-ID, what came since it.

    A `gap` says that events were lost: read everything again.
    """
    return StreamingResponse(
        _stream(engine, ending, after or last_event_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(engine: Client, ending: Ending, after: str | None) -> AsyncIterator[bytes]:
    async with aclosing(paced(engine.events(after=after), ending)) as facts:
        async for fact in facts:
            yield SSE_BEAT if fact is None else pack_event(fact)
