"""The panel's addresses, handed to the API's app, which serves them on its own port.

Every one of them is open to whoever has no session: the pages offer the log-in, the socket refuses.
`PUBLIC` lists them for the doorkeeper in front of the app, which keeps its gate in
`app.state.gate`.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from cronpilot.domain.access import Identity
from cronpilot.errors import LogInRefused, TooManyRequests
from cronpilot.web import pages
from cronpilot.web.gate import Cookie, Gate, Visitor
from cronpilot.web.messages import Nonsense, size_within
from cronpilot.web.tabs import Limits, Tabs

PUBLIC = ("/", "/login", "/logout", "/cockpit", "/assets/")

_STATIC = Path(__file__).with_name("static")
_LONGEST_THEME = 20
_LONGEST_FORM = 4096  # bytes of a name and a password


def panel_routes(
    cookie: Cookie, limits: Limits, program: Callable[[Identity, str], list[str]]
) -> list[BaseRoute]:
    """All of it; where the extra `web` is not installed, the page that says so.

    Args:
        program: the words that start the screen of a tab, for its user and in that theme.
    """
    terminal = _files_of_textual_serve()
    if terminal is None:
        return [Route("/", _missing), Mount("/assets", _Files(directory=_STATIC))]
    panel = _Panel(cookie, Tabs(limits, program))
    return [
        Route("/", panel.page),
        Route("/login", panel.log_in, methods=["POST"]),
        Route("/login", panel.to_the_page, methods=["GET"]),
        Route("/logout", panel.log_out, methods=["POST"]),
        WebSocketRoute("/cockpit", panel.cockpit),
        Mount("/assets/textual", _Files(directory=terminal)),
        Mount("/assets", _Files(directory=_STATIC)),
    ]


def _files_of_textual_serve() -> Path | None:
    """Where it keeps what a page needs; None without it, or without what speaks WebSocket."""
    found = importlib.util.find_spec("textual_serve")
    if found is None or found.origin is None or importlib.util.find_spec("websockets") is None:
        return None
    return Path(found.origin).with_name("static")


async def _missing(_: Request) -> Response:
    return pages.missing_page()


class _Panel:
    def __init__(self, cookie: Cookie, tabs: Tabs) -> None:
        self._cookie, self._tabs = cookie, tabs

    async def page(self, request: Request) -> Response:
        """The cockpit for whoever has a session, the log-in page for all others."""
        if self._visitor(request) is not None:
            return pages.cockpit_page()
        answer = pages.log_in_page()
        if self._cookie.read(request.scope) is not None:
            answer.headers["Set-Cookie"] = self._cookie.end()
        return answer

    async def to_the_page(self, _: Request) -> Response:
        """Somebody has typed the address of the form's answer, or loaded it again."""
        return _see_the_page()

    async def log_in(self, request: Request) -> Response:
        """The form as it was sent: a session and the cockpit, or the form again and why."""
        name, password = await _read_form(request)
        address = request.client.host if request.client else "nowhere"
        gate = _gate(request)
        try:
            identity = await gate.log_in(name, password, address, front="web")
        except LogInRefused as error:
            return pages.log_in_page(error.problem, name, status=401)
        except TooManyRequests as error:
            page = pages.log_in_page(str(error), name, status=429)
            page.headers["Retry-After"] = str(max(1, math.ceil(error.wait_s)))
            return page
        answer = _see_the_page()
        secure = request.url.scheme == "https"
        answer.headers["Set-Cookie"] = self._cookie.make(gate.open_session(identity), secure=secure)
        return answer

    async def log_out(self, request: Request) -> Response:
        """The session and all its tabs end."""
        session = self._cookie.read(request.scope)
        if session is not None:
            self._tabs.log_out(session, _gate(request))
        answer = _see_the_page()
        answer.headers["Set-Cookie"] = self._cookie.end()
        return answer

    async def cockpit(self, socket: WebSocket) -> None:
        """A tab's socket. Only our own page of this very address opens one."""
        visitor, size = self._visitor(socket), _size(socket)
        if visitor is None or size is None or not _is_from_here(socket):
            await socket.close()  # before it was accepted: 403
            return
        theme = socket.query_params.get("theme", "")[:_LONGEST_THEME]
        await self._tabs.show(socket, visitor, size, theme, _gate(socket))

    def _visitor(self, connection: HTTPConnection) -> Visitor | None:
        session = self._cookie.read(connection.scope)
        identity = None if session is None else _gate(connection).of_session(session)
        return None if session is None or identity is None else Visitor(identity, session)


class _Files(StaticFiles):
    """Files of a folder, asked for again each time, and never taken for another kind of file."""

    def file_response(self, *args: Any, **options: Any) -> Response:
        answer = super().file_response(*args, **options)
        answer.headers.update({**pages.HEADERS, "Cache-Control": "no-cache"})
        return answer


def _gate(connection: HTTPConnection) -> Gate:
    gate: Gate = connection.app.state.gate
    return gate


def _see_the_page() -> Response:
    return RedirectResponse("/", 303, headers=pages.HEADERS)


def _size(socket: WebSocket) -> tuple[int, int] | None:
    try:
        return size_within(*(socket.query_params.get(key) for key in ("width", "height")))
    except Nonsense:
        return None


def _is_from_here(socket: HTTPConnection) -> bool:
    """Whether the page that opens the socket is one of ours: a browser tells, and cannot lie.

    Other pages' scripts may open sockets to us, and a browser may send our cookie with them.
    """
    origin = urlsplit(socket.headers.get("origin", ""))
    return origin.scheme in ("http", "https") and origin.netloc == socket.headers.get("host")


async def _read_form(request: Request) -> tuple[str, str]:
    """Name and password; both empty where it is not our form that was sent."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LONGEST_FORM:
            return "", ""
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=10, strict_parsing=True)
    except ValueError:
        return "", ""
    return fields.get("name", [""])[0], fields.get("password", [""])[0]
