"""Reads the output of the run in the log panel, and keeps reading while it grows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cronpilot.tui.inbox import BETWEEN
from cronpilot.tui.log_window import LogWindow

if TYPE_CHECKING:
    from cronpilot.client.log_search import LogMatches
    from cronpilot.client.protocol import Client
    from cronpilot.domain.log_search import Pattern
    from cronpilot.tui.widgets.log_panel import LogPanel

TAIL = 256 << 10
"""Bytes read first, from the end: some screens full, in one piece."""
TOO_FAR_BEHIND = 512 << 10
"""Bytes. A run that prints faster than the screen reads is shown from its end again."""
AHEAD = 4 << 20
"""Bytes read beyond what the user, who has scrolled up, is looking at; then reading rests."""
MATCHES = 300
"""Matching lines read at once where only these are shown."""
FAR_TO_SEARCH = 256 << 20
"""Bytes. Where only matches are shown, as `TOO_FAR_BEHIND`."""


class LogFeed:
    """One run's output, from a client to a panel."""

    def __init__(self, panel: LogPanel) -> None:
        self._panel = panel

    async def show(self, client: Client, run_id: int) -> None:
        """Show the run from its end, then what it prints, until it is over."""
        while await self._from_the_end(client, run_id):
            pass

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

    async def _from_the_end(self, client: Client, run_id: int) -> bool:
        """Whether it has to begin again, because it fell too far behind."""
        run, chunk = await asyncio.gather(
            client.run(run_id), client.read_log(run_id, offset=-TAIL, limit=TAIL)
        )
        window = LogWindow.holding(chunk.offset, chunk.data, chunk.size, end=chunk.end)
        window.attached = True
        self._panel.show_run(run, window)
        if chunk.ended:
            return False
        async for more in client.follow_log(run_id, offset=window.end):
            if not self._is_shown(window) or not window.attached:
                break
            if more.data:
                self._panel.append(more.data, more.size, end=more.end)
            if self._panel.output.following and more.size - window.end > TOO_FAR_BEHIND:
                return True
            if self._panel.output.ahead > AHEAD:
                window.attached = False
            await asyncio.sleep(BETWEEN)
        await self._watch_size(client, run_id, window)
        return False

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
