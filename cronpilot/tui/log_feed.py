"""Reads the output of the run in the log panel, and keeps reading while it grows."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from cronpilot.tui.inbox import BETWEEN
from cronpilot.tui.log_window import LogWindow

if TYPE_CHECKING:
    from cronpilot.client.log_search import LogMatches
    from cronpilot.client.messages import LogChunk
    from cronpilot.client.protocol import Client
    from cronpilot.domain.log_search import Pattern
    from cronpilot.tui.widgets.log_panel import LogPanel

NEWEST = 32 << 10
"""Bytes read first, from the end: some screens full, in no time."""
TAIL = 256 << 10
"""Bytes read at once where one reads on."""
FLOOD = 128 << 10
"""Bytes printed between two looks from which on only the newest of them are read."""
AHEAD = 4 << 20
"""Bytes read beyond what the user, who has scrolled up, is looking at; then reading rests."""
MATCHES = 300
"""Matching lines read at once where only these are shown."""
FAR_TO_SEARCH = 256 << 20
"""Bytes. Where only matches are shown, a run that is further ahead is shown from its end again."""


class LogFeed:
    """One run's output, from a client to a panel."""

    def __init__(self, panel: LogPanel) -> None:
        self._panel = panel

    async def show(self, client: Client, run_id: int) -> None:
        """Show the run from its end, then what it prints, until it is over."""
        run, chunk = await asyncio.gather(
            client.run(run_id), client.read_log(run_id, offset=-NEWEST, limit=NEWEST)
        )
        window = self._window_on(chunk)
        self._panel.show_run(run, window)
        await self._fill(client, run_id, window)
        held = None if chunk.ended else window
        while held is not None and await self._follow(client, run_id, held):
            held = await self._leap(client, run_id, held)

    async def show_place(self, client: Client, run_id: int, offset: int) -> None:
        """Show the run around a place of its output, and watch how it grows."""
        start = max(0, offset - TAIL // 2)
        run, chunk = await asyncio.gather(
            client.run(run_id), client.read_log(run_id, offset=start, limit=TAIL)
        )
        window = LogWindow.holding(chunk.offset, chunk.data, chunk.size, end=chunk.end)
        above = self._panel.output.size.height // 3
        self._panel.show_run(run, window, top=max(0, window.index_at(offset) - above))
        await self._watch_size(client, run_id, window)

    async def read_older(self, client: Client, run_id: int) -> None:
        """Fetch the piece above what is held."""
        window = self._panel.output.window
        start = max(0, window.start - TAIL)
        chunk = await client.read_log(run_id, offset=start, limit=max(1, window.start - start))
        if self._panel.output.window is window:
            self._panel.output.prepend(chunk.offset, chunk.data)

    async def read_newer(self, client: Client, run_id: int) -> None:
        """Fetch the piece below what is held, where nobody adds what is printed."""
        output = self._panel.output
        window = output.window
        chunk = await client.read_log(run_id, offset=window.end, limit=TAIL)
        if output.window is window and not window.attached:
            output.append(chunk.data, chunk.size, end=chunk.end)

    async def _fill(self, client: Client, run_id: int, window: LogWindow) -> None:
        """Read upwards until there are lines for the whole screen: they may be very long."""
        rows, least = self._panel.app.size.height, window.start - AHEAD
        while self._is_shown(window) and window.start > max(0, least) and len(window) < rows:
            await self.read_older(client, run_id)

    async def _follow(self, client: Client, run_id: int, window: LogWindow) -> bool:
        """Add all that it prints; True as soon as that is a flood."""
        async for more in client.follow_log(run_id, offset=window.end):
            if not self._is_shown(window) or not window.attached:
                break
            if self._panel.output.following and more.size - window.end > FLOOD:
                return True
            if more.data:
                self._panel.append(more.data, more.size, end=more.end)
            if more.ended:
                window.finish()
                self._panel.output.repaint_all()
            if self._panel.output.ahead > AHEAD:
                window.attached = False
            await asyncio.sleep(BETWEEN)
        await self._watch_size(client, run_id, window)
        return False

    async def _leap(self, client: Client, run_id: int, window: LogWindow) -> LogWindow | None:
        """Of a flood only the newest is read, as often as it can be looked at. What is held when it
        is over, or when somebody reads further up; None: the run has ended."""
        while self._is_shown(window) and self._panel.output.following:
            chunk = await client.read_log(run_id, offset=-NEWEST, limit=NEWEST)
            if not (self._is_shown(window) and self._panel.output.following):
                break
            is_over = chunk.offset <= window.end
            window = self._window_on(chunk, at=self._panel.clock())
            self._panel.leap(window)
            if chunk.ended:
                return None
            if is_over:
                await self._fill(client, run_id, window)
                break
            await asyncio.sleep(BETWEEN)
        return window

    def _window_on(self, chunk: LogChunk, *, at: datetime | None = None) -> LogWindow:
        """A window on the end of the log, to which is added what comes."""
        window = LogWindow.holding(chunk.offset, chunk.data, chunk.size, end=chunk.end, at=at)
        window.attached = True
        if chunk.ended:
            window.finish()
        return window

    async def _watch_size(self, client: Client, run_id: int, window: LogWindow) -> None:
        """While somebody reads elsewhere, only look how far the file has grown."""
        while self._is_shown(window) and not window.attached:
            chunk = await client.read_log(run_id, offset=window.end, limit=1)
            self._panel.output.note_size(chunk.size)
            run = self._panel.run_shown
            if run is None or run.status.is_final:
                return
            await asyncio.sleep(1.0)

    def _is_shown(self, window: LogWindow) -> bool:
        return self._panel.output.window is window

    # --- only lines that match -------------------------------------------------------------------

    async def show_matches(self, client: Client, run_id: int, pattern: Pattern) -> None:
        """Show the last lines that match, then those that are printed, until it is over."""
        while await self._matches_from_the_end(client, run_id, pattern):
            pass

    async def read_older_matches(self, client: Client, run_id: int, pattern: Pattern) -> None:
        """Fetch the matching lines above those that are held."""
        output, window = self._panel.output, self._panel.output.window
        missing = MATCHES
        while missing > 0 and window.start > 0:
            step = await _step(client, run_id, pattern, window.start, backwards=True)
            if output.window is not window:
                return
            output.grown_above(window.prepend_lines(_lines(step), step.start))
            missing -= len(step.lines)

    async def _matches_from_the_end(self, client: Client, run_id: int, pattern: Pattern) -> bool:
        run, tail = await asyncio.gather(
            client.run(run_id), client.read_log(run_id, offset=-(64 << 10), limit=64 << 10)
        )
        whole = tail.data.rfind(b"\n") + 1  # the line that is being printed is looked at again
        end = tail.end - len(tail.data) + whole if whole else tail.size
        window = LogWindow.of_lines([], end, end, tail.size)
        window.attached = True
        self._panel.show_run(run, window)
        await self.read_older_matches(client, run_id, pattern)
        output = self._panel.output
        while self._is_shown(window):
            step = await _step(client, run_id, pattern, window.end)
            if not self._is_shown(window):
                return False
            if output.following and step.size - step.end > FAR_TO_SEARCH:
                return True
            now = self._panel.clock()
            output.grown(window.append_lines(_lines(step), step.end, step.size, at=now))
            self._panel.tell()
            if step.done:
                if step.ended:
                    return False
                await asyncio.sleep(BETWEEN)
        return False


async def _step(
    client: Client, run_id: int, pattern: Pattern, offset: int, *, backwards: bool = False
) -> LogMatches:
    from cronpilot.client.log_search import LogQuery  # after the first paint

    query = LogQuery(
        pattern=pattern.text, regex=pattern.regex, case=pattern.case, offset=offset,
        backwards=backwards, limit=MATCHES, raw=True,
    )  # fmt: skip
    return await client.search_log(run_id, query)


def _lines(step: LogMatches) -> list[tuple[int, bytes]]:
    return [(line.offset, line.text.encode("utf-8", "replace")) for line in step.lines]
