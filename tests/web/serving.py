"""The panel as it is met on the network: real sockets, the real guard, users of a test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pyte
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect

from cronpilot.api.app import make_app
from cronpilot.api.auth import Gate, end_of_cookie, session_cookie, session_token
from cronpilot.api.patience import PatientProtocol, bind_tcp
from cronpilot.api.server import bind_unix, quiet, remove_unix, run, serve
from cronpilot.api.tcp import guarded
from cronpilot.client import Client
from cronpilot.client.sockets import SOCKET_NAME
from cronpilot.config.settings import ApiSettings
from cronpilot.domain.access import Identity
from cronpilot.web.gate import Cookie
from cronpilot.web.program import tab_program
from cronpilot.web.routes import PUBLIC, panel_routes
from cronpilot.web.tabs import Limits

from ..api.guarding import PASSWORD, FakeAccounts
from ..client.serving import answering

COOKIE = Cookie(session_token, session_cookie, end_of_cookie)
PATIENCE_S = 60.0


@dataclass
class Panel:
    """A served panel, and the ways in."""

    port: int
    gate: Gate
    stopped: asyncio.Event
    socket: Path

    @property
    def address(self) -> str:
        return f"http://localhost:{self.port}"

    async def log_in(self, name: str = "admin") -> str:
        """What a browser sends as its cookie after that user has logged in."""
        async with self.http() as http:
            answer = await http.post("/login", content=f"name={name}&password={PASSWORD}")
        assert answer.status_code == 303, answer.text
        return answer.headers["set-cookie"].partition(";")[0]

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.address, timeout=PATIENCE_S, trust_env=False)

    def tab(
        self, cookie: str = "", *, origin: str | None = "", size: str = "width=120&height=36"
    ) -> connect:
        """Open a tab as a browser would; `origin` is the page's own unless it is given."""
        headers = {"Cookie": cookie} if cookie else {}
        if origin is not None:
            headers["Origin"] = origin or self.address
        return connect(
            f"ws://localhost:{self.port}/cockpit?{size}", additional_headers=headers, proxy=None,
            open_timeout=PATIENCE_S,
        )  # fmt: skip


@asynccontextmanager
async def served_panel(
    engine: Client | None,
    state_dir: Path,
    limits: Limits | None = None,
    program: Callable[[Identity, str], list[str]] | None = None,
) -> AsyncIterator[Panel]:
    """The panel: on a free port for browsers, on the unix socket of `engine` for their screens.

    Args:
        engine: None where nothing asks it: building its routes takes long.
        program: what runs in place of the screen.
    """
    gate = Gate(FakeAccounts())
    app = FastAPI(openapi_url=None) if engine is None else make_app(engine, gate)
    app.state.gate, app.state.ending, app.state.public = gate, asyncio.Event(), set(PUBLIC)
    routes = panel_routes(COOKIE, limits or Limits(), program or partial(tab_program, state_dir))
    app.router.routes.extend(routes)
    stopped, sock = asyncio.Event(), bind_tcp("127.0.0.1", 0)
    port = sock.getsockname()[1]
    outside = guarded(app, gate, ApiSettings(rate_limit=1000))
    config = quiet(outside, http=PatientProtocol, ws="auto")
    servers = [asyncio.create_task(run(config, sock, stopped, app.state.ending))]
    if engine is not None:
        servers.append(asyncio.create_task(serve(engine, bind_unix(state_dir), stopped, app)))
        await answering(state_dir / SOCKET_NAME, servers[-1])
    try:
        yield Panel(port, gate, stopped, state_dir / SOCKET_NAME)
    finally:
        stopped.set()
        await asyncio.gather(*servers)
        if engine is not None:
            remove_unix(state_dir)


class Terminal:
    """What a person sees who holds the other end of a tab."""

    def __init__(self, socket: ClientConnection, columns: int = 120, rows: int = 36) -> None:
        self._socket = socket
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    async def press(self, keys: str) -> None:
        await say(self._socket, "stdin", keys)

    async def shows(self, *texts: str) -> None:
        """Return when it shows all of these."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not all(text in self.text for text in texts):
                    data = await self._socket.recv()
                    if isinstance(data, bytes):
                        self._stream.feed(data)
        except TimeoutError:
            raise AssertionError(f"it never showed {texts}:\n{self.text}") from None


async def say(socket: ClientConnection, *words: Any) -> None:
    """Say something as the page does."""
    await socket.send(json.dumps(words))


async def until(condition: Callable[[], bool]) -> None:
    """Wait until that holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.02)
