"""Tells the engine which front end asks, so that edits and starts carry their actor."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from cronpilot.client.actor import FRONT, HEADER, front_named

_HEADER = HEADER.encode()


class NameFront:
    """Sets FRONT from the header of each request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            named = dict(scope["headers"]).get(_HEADER)
            FRONT.set(front_named(named.decode("latin-1") if named else None))
        await self._app(scope, receive, send)
