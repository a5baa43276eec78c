"""The part of the dashboard that looks back: the history, page by page, and the health."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from textual import on, work

from cronpilot.errors import CronPilotError, NoEngine
from cronpilot.tui.formatting import Cell
from cronpilot.tui.inbox import Changes
from cronpilot.tui.screens.details import DetailsScreen
from cronpilot.tui.screens.empty import no_history
from cronpilot.tui.widgets.health_view import HealthView
from cronpilot.tui.widgets.history_view import HistoryView

if TYPE_CHECKING:
    from cronpilot.client.messages import IncidentView, RunView
    from cronpilot.tui.health_lines import HealthLine


class RecordsScreen(DetailsScreen):
    """Reads what views 4 and 5 lack, once they are looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.history = HistoryView()
        self.health = HealthView()

    def open_run(self, run: RunView) -> None:
        """All about one run, over the whole screen."""
        from cronpilot.tui.screens.run_page import RunPage  # after the first paint

        self.app.push_screen(RunPage(run, self.history.table.zone))

    def open_incident(self, incident: IncidentView) -> None:
        """All about one incident, over the whole screen."""
        from cronpilot.tui.screens.incident_page import IncidentPage  # after the first paint

        self.app.push_screen(IncidentPage(incident, self.history.table.zone), self._after_incident)

    def _after_incident(self, _: None) -> None:
        """It may have been acknowledged or snoozed there."""
        self.health.read_again()
        self.tell_records()

    def read_records(self) -> None:
        """Read again what was read already; the rest waits until somebody looks."""
        if self.history.is_read or self.history.is_current:
            self.history.read_again()
        self.health.read_again()

    def apply_to_records(self, changes: Changes) -> None:
        """Things are different now."""
        if self.history.apply(changes):
            self.history.read_again()

    def tell_records(self) -> None:
        """Say why there are no rows."""
        history = self.history
        history.table.say_instead(
            no_history(history.filters, is_read=history.is_read, key=self.key)
        )
        self.health.table.say_instead([[Cell("Reading how things stand ...", "muted")]])
        if history.is_current and not history.is_read:
            history.look_for_pages(0)
        health, can_ask = self.health, self.pilot_app.client is not None
        if health.is_current and can_ask and health.is_due(self.now()):
            self._read_health()

    def open_line(self, line: HealthLine) -> None:
        """To what a line of the health speaks of: a run, or the history of a task."""
        if line.incident is not None:
            self.open_incident(line.incident)
        elif line.run is not None:
            self.open_run(line.run)
        elif line.task is not None:
            self.open_history(line.task[1], bad=line.bad_only)

    def open_history(self, name: str, *, bad: bool = False) -> None:
        """The runs of the tasks of that name, perhaps only those that failed."""
        self.history.clear_filters()
        self.history.refilter(name, bad=bad)
        self.action_view("history")

    @abstractmethod
    def action_view(self, name: str) -> None:
        """Show another view."""

    @work(exclusive=True, group="read health")
    async def _read_health(self) -> None:
        try:
            self.health.put(await self.client.health(), self.now())
        except NoEngine:
            return  # the status bar says so
        except CronPilotError as error:
            self.tell_error(error)

    @on(HistoryView.Refiltered)
    def _history_refiltered(self) -> None:
        self.history.look_for_pages(0)
        self.refresh_bindings()
        self.tick(self.now())

    @on(HistoryView.PageWanted)
    def _history_page_wanted(self, event: HistoryView.PageWanted) -> None:
        self._read_history(event.number)

    @work(group="read history")
    async def _read_history(self, number: int) -> None:
        from cronpilot.client.messages import RunQuery  # after the first paint

        history, pages = self.history, self.history.pages
        query = RunQuery(**history.asked_for(), before=pages.before(number))
        try:
            page = await self.client.runs(query)
        except NoEngine:
            history.failed(number)  # the status bar says so, and connecting again reads again
            return
        except CronPilotError as error:
            history.failed(number)
            self.tell_error(error)
            return
        history.put(pages, number, page.rows)
        self.tick(self.now())
