"""A screen with a log panel in which one can look for text."""

from __future__ import annotations

from textual import on, work

from cronpilot.domain.log_search import Pattern, compile_pattern
from cronpilot.domain.text import clean
from cronpilot.errors import CronPilotError
from cronpilot.tui.log_finder import LogFinder
from cronpilot.tui.screens.log_reading import LogReadingScreen
from cronpilot.tui.widgets.find_line import FindLine
from cronpilot.tui.widgets.log_view import LogView

COUNTING, STEPPING = "count matches", "step to match"


class LogFindingScreen(LogReadingScreen):
    """Asks the engine where a pattern stands, and leads there."""

    @on(LogView.FindWanted)
    async def _open_find_line(self) -> None:
        await self.panel.open_find_line()

    @on(FindLine.Accepted)
    def _accepted(self, event: FindLine.Accepted) -> None:
        try:
            compile_pattern(event.pattern)
        except CronPilotError as error:
            self.tell_error(error)
            return
        self.close_find_line()
        self._find(event.pattern)

    @on(FindLine.Cleared)
    @on(LogView.FindEnded)
    def _cleared(self) -> None:
        self.close_find_line()
        self.end_find()

    def close_find_line(self) -> None:
        """Back from typing to the log."""
        if self.panel.find_line is not None:
            self.panel.find_line.close()
        self.panel.output.focus()

    def _find(self, pattern: Pattern) -> None:
        panel = self.panel
        if panel.run_id is None:
            return
        panel.finder = LogFinder(panel.run_id, pattern)
        panel.output.mark(pattern)
        if panel.only:
            self.show_log(panel.run_id, again=True)
        self._step(0)
        self.refresh_bindings()

    def end_find(self) -> None:
        """Look for nothing any more."""
        panel = self.panel
        if panel.finder is None:
            return
        self.workers.cancel_group(self, COUNTING)
        self.workers.cancel_group(self, STEPPING)
        panel.finder, panel.note = None, ""
        panel.output.mark(None)
        if panel.only:
            self._show_all_lines()
        panel.tell()
        self.refresh_bindings()

    def run_is_shown(self, task_id: int, run_id: int) -> None:
        """What is looked for stays with the runs of one task, and is forgotten with another's."""
        finder, shown = self.panel.finder, self.panel.run_shown
        if finder is None or finder.run_id == run_id:
            return
        if shown is not None and shown.task_id == task_id:
            self.panel.finder = LogFinder(run_id, finder.pattern)
            self.panel.output.mark(finder.pattern)
            self._count()
        else:
            self.panel.only = False
            self.end_find()

    # --- from match to match ---------------------------------------------------------------------

    @on(LogView.StepWanted)
    def _step_wanted(self, event: LogView.StepWanted) -> None:
        if self.panel.only:
            self._step_line(event.by)
        else:
            self._step(event.by)

    def _step_line(self, by: int) -> None:
        """To the next of the lines, all of which match."""
        output, window = self.panel.output, self.panel.output.window
        if not len(window):
            return
        at = window.index_at(output.match) if output.match is not None else len(window)
        output.stand_on(window.offset_of(max(0, min(at + by, len(window) - 1))))
        self.panel.tell()

    @work(exclusive=True, group=STEPPING)
    async def _step(self, by: int) -> None:
        """`by` 0: to the nearest one, upwards first."""
        finder, output = self.panel.finder, self.panel.output
        if finder is None:
            return
        first, end = output.seen_offsets()
        self.panel.note = "looking ..."
        self.panel.tell()
        found, is_beyond = None, False
        with self.telling():
            if by > 0:
                found = await finder.after(self.client, first if output.match is None
                                           else output.match + 1)  # fmt: skip
            else:
                at = output.match if output.match is not None and by else end
                found = await finder.before(self.client, at)
                if found is None and not by:
                    found = await finder.after(self.client, end)
            is_beyond = found is None and bool(by)
        self.panel.note = ""
        if found is not None and not output.stand_on(found):
            self._jump_to(found)
        if is_beyond:
            where = "below" if by > 0 else "above"
            self.notify(f"No further match {where}.", markup=False, timeout=2)
        self.panel.tell()
        if not finder.is_counted:
            self._count()

    def _jump_to(self, offset: int) -> None:
        self.panel.output.match = offset
        self.show_place(offset)

    @work(exclusive=True, group=COUNTING)
    async def _count(self) -> None:
        finder = self.panel.finder
        if finder is not None:
            with self.telling():
                await finder.count(self.client, self.panel.tell)

    @on(LogView.SpansWanted)
    @work(exclusive=True, group="spans")
    async def _spans_wanted(self, event: LogView.SpansWanted) -> None:
        """A regular expression is tried by the engine, never here: it might take for ever."""
        from cronpilot.client.log_search import LogQuery  # after the first paint

        output, pattern, run_id = self.panel.output, self.panel.output.pattern, self.panel.run_id
        if pattern is None or run_id is None:
            return
        found: dict[int, list[tuple[int, int]]] = {}
        with self.telling():
            at, last = event.offsets[0], event.offsets[-1]
            while at <= last:
                query = LogQuery(pattern=pattern.text, regex=True, case=pattern.case, offset=at,
                                 limit=100, most=1 << 16)  # fmt: skip
                step = await self.client.search_log(run_id, query)
                found.update({line.offset: line.spans for line in step.lines})
                at = step.end
                if step.done or (self.panel.only and len(found) >= len(event.offsets)):
                    break
        if output.pattern is pattern:
            output.tell_spans(event.offsets, found)

    # --- only lines that match -------------------------------------------------------------------

    @on(LogView.OnlyWanted)
    def _only_wanted(self) -> None:
        panel = self.panel
        if panel.finder is None or panel.run_id is None:
            return
        if panel.only:
            match = panel.output.match
            self._show_all_lines()
            if match is not None:
                self._jump_to(match)
            return
        panel.only = True
        panel.output.match = None
        self.show_log(panel.run_id, again=True)

    def _show_all_lines(self) -> None:
        self.panel.only = False
        if self.panel.run_id is not None:
            self.show_log(self.panel.run_id, again=True)

    def what_is_looked_for(self) -> str:
        """For people: `"error"`."""
        finder = self.panel.finder
        return f'"{clean(finder.pattern.text)}"' if finder else ""
