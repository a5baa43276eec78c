"""Reads the output of the run in the log panel, and keeps reading while it grows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cronpilot.tui.inbox import BETWEEN
from cronpilot.tui.log_window import LogWindow
from cronpilot.tui.widgets.log_panel import LogPanel

if TYPE_CHECKING:
    from cronpilot.client.protocol import Client

TAIL = 256 << 10
"""Bytes read first, from the end: some screens full, in one piece."""
TOO_FAR_BEHIND = 1 << 20
"""Bytes. A run that prints faster than the screen reads is shown from its end again."""
AHEAD = 4 << 20
"""Bytes read beyond what the user, who has scrolled up, is looking at; then reading rests."""


class LogFeed:
    """One run's output, from a client to a panel."""

    def __init__(self, panel: LogPanel) -> None:
        self._panel = panel

    async def show(self, client: Client, run_id: int) -> None:
        """Show the run from its end, then what it prints, until it is over."""
        while await self._from_the_end(client, run_id):
            pass

    async def read_older(self, client: Client, run_id: int) -> None:
        """Fetch the piece above the one that is held."""
        window = self._panel.output.window
        start = max(0, window.start - TAIL)
        chunk = await client.read_log(run_id, offset=start, limit=window.start - start)
        if self._panel.output.window is window:
            self._panel.output.prepend(chunk.offset, chunk.data)

    async def _from_the_end(self, client: Client, run_id: int) -> bool:
        """Whether it has to begin again, because it fell too far behind."""
        run = await client.run(run_id)
        chunk = await client.read_log(run_id, offset=-TAIL, limit=TAIL)
        window = LogWindow.holding(chunk.offset, chunk.data, chunk.size, end=chunk.end)
        self._panel.show_run(run, window)
        if chunk.ended:
            return False
        async for more in client.follow_log(run_id, offset=window.end):
            if more.data:
                self._panel.append(more.data, more.size, end=more.end)
            if self._panel.output.following and more.size - window.end > TOO_FAR_BEHIND:
                return True
            await asyncio.sleep(BETWEEN)
            await self._rest_while_read(client, run_id, window)
        return False

    async def _rest_while_read(self, client: Client, run_id: int, window: LogWindow) -> None:
        """While somebody reads further up, only look how far the file has grown."""
        log = self._panel.output
        while log.window is window and log.ahead > AHEAD:
            await asyncio.sleep(1.0)
            chunk = await client.read_log(run_id, offset=window.end, limit=1)
            log.note_size(chunk.size)
