"""What runs printed: the list of logs, the bytes of one, and how two of them differ."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from cronpilot.api.late_routes import LateRoute
from cronpilot.api.parts import MAX_ID, Ending, Engine, RunId, paced, tell_next
from cronpilot.api.rights import identity_of
from cronpilot.api.streams import Streams
from cronpilot.client import Client
from cronpilot.client.comparison import CompareQuery, Comparison
from cronpilot.client.log_search import LogMatches, LogQuery
from cronpilot.client.messages import LogEntry, RunQuery, RunView
from cronpilot.client.streams import LOG_BEAT, LOG_MEDIA_TYPE, pack_chunk
from cronpilot.domain.run import Status

router = APIRouter(prefix="/api", tags=["logs"], route_class=LateRoute)

_LONGEST_PIECE = 1 << 22  # bytes in one answer
_NEVER_STARTED = {Status.QUEUED, Status.SKIPPED, Status.MISSED}
_MAY_HAVE_LOG = [status for status in Status if status not in _NEVER_STARTED]


@router.get("/logs/")
async def list_logs(
    engine: Engine,
    request: Request,
    response: Response,
    task_id: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
    before: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[LogEntry]:
    """The logs that exist, of the newest run first; `before` is the last run already seen."""
    entries: list[LogEntry] = []
    while len(entries) < limit:
        page = await engine.runs(
            RunQuery(task_id=task_id, status=_MAY_HAVE_LOG, before=before, limit=limit)
        )
        entries += [await _entry(engine, run) for run in page.rows if run.log_path is not None]
        if len(page.rows) < limit:
            break
        before = page.rows[-1].id
    if len(entries) >= limit:
        tell_next(request, response, before=entries[limit - 1].run_id)
    return entries[:limit]


async def _entry(engine: Client, run: RunView) -> LogEntry:
    size = run.log_size  # known once the run has ended
    if size is None:
        size = (await engine.read_log(run.id, limit=1)).size
    return LogEntry(
        run_id=run.id, task_id=run.task_id, task_name=run.task_name, started_at=run.started_at,
        status=run.status, size=size, url=f"/api/runs/{run.id}/log",
    )  # fmt: skip


@router.get("/runs/{run_id}/log", response_class=Response)
async def read_log(
    engine: Engine,
    request: Request,
    ending: Ending,
    run_id: RunId,
    offset: Annotated[int, Query(ge=-MAX_ID, le=MAX_ID)] = 0,
    limit: Annotated[int, Query(ge=1, le=_LONGEST_PIECE)] = 1 << 18,
    follow: bool = False,
) -> Response:
    """Its output as it is; a negative offset counts from the end.

    X-Log-Offset is the place of the first byte sent, X-Log-End that of the next piece (a part that
    a limit dropped is one line in the answer), X-Log-Size the size of the whole, X-Log-Ended `true`
    when the run is over and this reaches its last byte. With `follow=1` the answer goes on until
    then, in frames: a line `<offset> <end> <size> <ended: 0 or 1> <length>`, and that many bytes.
    """
    if follow:
        streams: Streams = request.app.state.streams
        name = identity_of(request).name
        streams.refuse_more(name)
        first = await engine.read_log(run_id, offset=offset, limit=1)
        return StreamingResponse(
            _follow(engine, ending, streams, name, run_id, first.offset), media_type=LOG_MEDIA_TYPE,
            headers={"Cache-Control": "no-store"},
        )  # fmt: skip
    chunk = await engine.read_log(run_id, offset=offset, limit=limit)
    return Response(
        chunk.data,
        media_type="application/octet-stream",
        headers={
            "X-Log-Offset": str(chunk.offset),
            "X-Log-End": str(chunk.end),
            "X-Log-Size": str(chunk.size),
            "X-Log-Ended": str(chunk.ended).lower(),
            "Cache-Control": "no-store",
        },
    )


@router.get("/runs/{run_id}/log/search")
async def search_log(
    engine: Engine, run_id: RunId, query: Annotated[LogQuery, Query()]
) -> LogMatches:
    """Lines of its output that match, as a reader sees them: without colours and other sequences.

    One question looks through `most` bytes; the next goes on at `end` (`backwards`: at `start`)
    until it is `done`.
    """
    return await engine.search_log(run_id, query)


@router.get("/runs/{run_id}/compare")
async def compare(
    engine: Engine, run_id: RunId, query: Annotated[CompareQuery, Query()]
) -> Comparison:
    """How a run differs from another one of its task: verdict, definition, variables, output.

    Without `against` that is the newest success; of a success, the one before it.
    """
    return await engine.compare(run_id, against=query.against, exact=query.exact)


async def _follow(
    engine: Client, ending: Ending, streams: Streams, name: str, run_id: int, offset: int
) -> AsyncIterator[bytes]:
    with streams.one_more(name):
        async with aclosing(paced(engine.follow_log(run_id, offset=offset), ending)) as chunks:
            async for chunk in chunks:
                yield LOG_BEAT if chunk is None else pack_chunk(chunk)
