"""How much one client may ask of the server: bytes, and questions a second."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cronpilot.api.auth import address_of
from cronpilot.api.problems import refuse
from cronpilot.api.throttle import Buckets, network_of
from cronpilot.domain.access import Identity
from cronpilot.errors import TooManyRequests, UsageProblem

LARGEST_BODY: Final = 1 << 20  # bytes; the longest tasks.yaml entry is far below
_TAKE_S: Final = 60.0  # for a client to take a piece of an answer
_BURST: Final = 5.0  # seconds' worth of questions that may come at once
_HEADERS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
]


class Bodies:
    """Refuses large bodies, hangs up on who takes no answer, and tells browsers to be careful."""

    def __init__(self, app: ASGIApp, largest: int = LARGEST_BODY) -> None:
        self._app, self._largest = app, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        talk = _Talk(receive, send, self._largest)
        if _said_length(scope) > self._largest:
            talk.is_over = True
        else:
            with contextlib.suppress(_TooLarge):
                await self._app(scope, talk.receive, talk.send)
        if talk.is_over and not talk.has_begun:
            error = UsageProblem(f"The body is larger than {self._largest} bytes.", "Send less.")
            await refuse(error, scope, receive, _with_headers(send), status=413)


class _TooLarge(Exception):
    """More came than may."""


class _Talk:
    """One question and its answer. Once too much has come, the app is not listened to any more: it
    would call it a body that cannot be read."""

    def __init__(self, receive: Receive, send: Send, largest: int) -> None:
        self._receive, self._send, self._left = receive, _with_headers(send), largest
        self.is_over = self.has_begun = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.is_over = True
                raise _TooLarge
        return message

    async def send(self, message: Message) -> None:
        if self.is_over and not self.has_begun:
            return
        self.has_begun = True
        async with asyncio.timeout(_TAKE_S):
            await self._send(message)


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name for name, _ in message["headers"]}
            extra = [header for header in _HEADERS if header[0] not in given]
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return with_headers


def _said_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and len(value) < 20:
            return int(value)
    return 0


class Pace:
    """Keeps each client to so many questions a second; streams count as one."""

    def __init__(
        self, app: ASGIApp, each_second: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._buckets = Buckets(each_second * _BURST, 1 / each_second, clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            identity: Identity | None = scope.get("state", {}).get("identity")
            client = (network_of(address_of(scope)), identity.name if identity else "")
            wait_s = self._buckets.take(client)
            if wait_s > 0:
                error = TooManyRequests("Too many questions a second.", "Ask a little later.")
                error.wait_s = wait_s
                await refuse(error, scope, receive, send)
                return
        await self._app(scope, receive, send)
