"""The tabs that are open: how many there may be, and what each user sees in one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from cronpilot.web.gate import Gate, Visitor
from cronpilot.web.tab import Ended, Tab

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from cronpilot.domain.access import Identity


class Limits(NamedTuple):
    """How many tabs there may be at once, and how long one may lie untouched."""

    tabs: int = 4
    idle_s: float = 3600.0


class Tabs:
    """All open tabs of one server.

    Args:
        program: the words that start the screen of a tab, for its user and in that theme.
    """

    def __init__(self, limits: Limits, program: Callable[[Identity, str], list[str]]) -> None:
        self._limits, self._program = limits, program
        self._open: set[Tab] = set()

    async def show(
        self, socket: WebSocket, visitor: Visitor, size: tuple[int, int], theme: str, gate: Gate
    ) -> None:
        """Show the cockpit on that socket until one of the two, the time or the user ends it."""
        await socket.accept()
        token = None if self._is_full() else gate.open_tab(visitor.session)
        if token is None:
            await socket.close(Ended.TOO_MANY)
            return
        tab = Tab(socket, visitor.session, token, gate, self, self._limits.idle_s)
        self._open.add(tab)
        try:
            program = self._program(visitor.identity, theme)
            await tab.live(program, size, socket.app.state.ending)
        finally:
            self._open.discard(tab)
            gate.end_tab(token)

    def log_out(self, session: str, gate: Gate) -> None:
        """End that session, and all its tabs with it."""
        gate.end_session(session)
        for tab in self._open:
            if tab.session == session:
                tab.end(Ended.LOGGED_OUT)

    def _is_full(self) -> bool:
        """Those that are ending make room at once, or a page could not be loaded again; but not
        without end, or their processes would pile up."""
        living = sum(not tab.is_over for tab in self._open)
        return living >= self._limits.tabs or len(self._open) >= 2 * self._limits.tabs
