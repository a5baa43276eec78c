"""Figures for Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from cronpilot.api.late_routes import LateRoute
from cronpilot.errors import Refused

if TYPE_CHECKING:
    from cronpilot.engine.figures import Figures

router = APIRouter(tags=["status"], route_class=LateRoute)


@router.get(
    "/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}}
)  # fmt: skip
async def metrics(request: Request) -> Response:
    """Runs by verdict, durations, lateness, queue, pools, next starts and the engine's health."""
    from cronpilot.api.metrics import CONTENT_TYPE, text_of  # an engine nobody scrapes needs it not

    take: Callable[[], Awaitable[Figures]] | None = request.app.state.figures
    if take is None:
        raise Refused("This engine takes no figures of itself.")
    figures = await take()
    return Response(await asyncio.to_thread(text_of, figures), media_type=CONTENT_TYPE)
