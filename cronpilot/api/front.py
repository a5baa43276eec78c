"""Tells the engine which front end asks, so that edits and starts carry their actor."""

from __future__ import annotations

from collections.abc import Collection

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


class OneSlash:
    """Takes `/api/tasks` for `/api/tasks/`, and `/api/tasks/1/runs/` for `/api/tasks/1/runs`: a
    redirect would lose the body of those who do not follow it."""

    def __init__(self, app: ASGIApp, lists: Collection[str]) -> None:
        """`lists`: the paths that end with a slash."""
        self._app, self._lists = app, lists

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            path: str = scope["path"].rstrip("/")
            scope = {**scope, "path": f"{path}/" if f"{path}/" in self._lists else path}
        await self._app(scope, receive, send)
