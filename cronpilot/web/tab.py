"""One tab: a browser's socket, joined to the process of its screen until one of them ends."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from cronpilot.web.gate import Gate
from cronpilot.web.messages import Focused, Nonsense, Pinged, Resized, Typed, read_message

if TYPE_CHECKING:
    from cronpilot.web.process import ScreenProcess

_log = logging.getLogger(__name__)

LOOK_S = 5.0
"""Seconds between two looks whether a tab may stay: so long an ended session can still be seen."""
_SIZE_EVERY_S = 0.1  # each size costs the screen a whole repaint
_LAST_MOMENTS_S = 0.3  # for a screen to end when the server itself is ending


class Ended(IntEnum):
    """Why the server closed a tab: the codes that the page understands (static/cockpit.js)."""

    LEFT = 4000
    LOGGED_OUT = 4001
    IDLE = 4002
    TOO_MANY = 4003
    BROKEN = 4004
    NONSENSE = 4005
    RESTART = 1012


class Others(Protocol):
    """Whoever knows the other tabs of a session."""

    def log_out(self, session: str, gate: Gate) -> None: ...


class Tab:
    """Passes on what both sides say, and ends both.

    Args:
        session: the log-in that it belongs to.
        token: with which its process asks the engine.
    """

    def __init__(
        self, socket: WebSocket, session: str, token: str, gate: Gate, others: Others, idle_s: float
    ) -> None:
        self.session = session
        self._socket, self._token, self._gate = socket, token, gate
        self._others, self._idle_s = others, idle_s
        self._why: Ended | None = None
        self._over = asyncio.Event()
        self._touched = asyncio.get_running_loop().time()
        self._touched_lately = True
        self._size: tuple[int, int] | None = None  # that the screen has not been told of yet
        self._resized = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether it is ending, or has."""
        return self._over.is_set()

    def end(self, why: Ended) -> None:
        """Close it, for that reason; the first one counts."""
        self._why = self._why or why
        self._over.set()

    async def live(self, program: list[str], size: tuple[int, int], ending: asyncio.Event) -> None:
        """Start the screen and stay until it is over."""
        from cronpilot.web.process import Page, ScreenProcess  # textual-serve: the extra `web`

        page = Page(self._paint, self._tell, self._leave, self._log_out, self._break)
        screen = ScreenProcess(program, self._token, page)
        try:
            await screen.start(*size)
        except OSError as error:  # no process to spare, for example
            _log.error("The screen of a tab could not be started: %s", error)
            self.end(Ended.BROKEN)
            await self._close()
            return
        jobs = [
            asyncio.create_task(job)
            for job in (
                self._listen(screen), self._pass_on_sizes(screen), self._wait_for(screen),
                self._look_after_itself(), self._wait_for_the_end_of_all(ending),
            )
        ]  # fmt: skip
        try:
            await self._over.wait()
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await self._part_from(screen)

    async def _part_from(self, screen: ScreenProcess) -> None:
        """Close the socket and end the process; the latter also when there is no time left."""
        in_a_hurry = self._why in (None, Ended.RESTART)
        stopping = asyncio.ensure_future(
            screen.stop(_LAST_MOMENTS_S) if in_a_hurry else screen.stop()
        )
        try:
            await self._close()
            await asyncio.shield(stopping)
        except asyncio.CancelledError:
            screen.kill()
            raise

    async def _close(self) -> None:
        if self._socket.client_state is WebSocketState.CONNECTED:
            with suppress(RuntimeError, WebSocketDisconnect, OSError):  # it has gone by itself
                await self._socket.close(self._why or Ended.RESTART)

    # --- what ends it ----------------------------------------------------------------------------

    async def _wait_for(self, screen: ScreenProcess) -> None:
        await screen.ended()
        self.end(Ended.BROKEN)  # unless it has said why

    async def _wait_for_the_end_of_all(self, ending: asyncio.Event) -> None:
        await ending.wait()
        self.end(Ended.RESTART)

    async def _look_after_itself(self) -> None:
        """End it when nobody has touched it for long, or its session is over."""
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(min(LOOK_S, self._idle_s / 4))
            if self._touched_lately:
                self._gate.of_session(self.session)  # that counts as using it
                self._touched_lately = False
            if self._gate.of_tab(self._token) is None:
                self.end(Ended.LOGGED_OUT)
            elif now() - self._touched >= self._idle_s:
                self.end(Ended.IDLE)

    # --- what the browser says -------------------------------------------------------------------

    async def _listen(self, screen: ScreenProcess) -> None:
        try:
            while True:
                await self._pass_on(await self._socket.receive_text(), screen)
        except WebSocketDisconnect:
            self.end(Ended.LEFT)
        except (Nonsense, KeyError):  # KeyError: bytes, where only text is said
            self.end(Ended.NONSENSE)

    async def _pass_on(self, text: str, screen: ScreenProcess) -> None:
        match read_message(text):
            case Typed(keys):
                self._touched, self._touched_lately = asyncio.get_running_loop().time(), True
                await screen.send_bytes(keys.encode(errors="replace"))
            case Resized(columns, rows):
                self._size = columns, rows
                self._resized.set()
            case Pinged(word):
                await self._socket.send_json(["pong", word])
            case Focused(yes):
                await (screen.focus() if yes else screen.blur())

    async def _pass_on_sizes(self, screen: ScreenProcess) -> None:
        """The last of a storm of sizes."""
        while True:
            await self._resized.wait()
            self._resized.clear()
            if self._size is not None:
                await screen.set_terminal_size(*self._size)
            await asyncio.sleep(_SIZE_EVERY_S)

    # --- what the screen says --------------------------------------------------------------------

    async def _paint(self, data: bytes) -> None:
        with suppress(RuntimeError, WebSocketDisconnect, OSError):  # the page has gone meanwhile
            await self._socket.send_bytes(data)

    async def _tell(self, text: str) -> None:
        with suppress(RuntimeError, WebSocketDisconnect, OSError):
            await self._socket.send_text(text)

    async def _leave(self) -> None:
        self.end(Ended.LEFT)

    async def _log_out(self) -> None:
        self.end(Ended.LOGGED_OUT)
        self._others.log_out(self.session, self._gate)

    async def _break(self) -> None:
        self.end(Ended.BROKEN)
