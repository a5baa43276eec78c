"""The part of the dashboard that looks back: the history, page by page, and the health."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from textual import on, work

from cronpilot.errors import CronPilotError, NoEngine
from cronpilot.tui.inbox import Changes
from cronpilot.tui.screens.details import DetailsScreen
from cronpilot.tui.screens.empty import no_health, no_history
from cronpilot.tui.widgets.health_view import HealthView
from cronpilot.tui.widgets.history_view import HistoryView

if TYPE_CHECKING:
    from textual.timer import Timer

    from cronpilot.client.messages import IncidentView, RunView
    from cronpilot.tui.health_lines import HealthLine


AGAIN_S = 5.0
"""Seconds until what could not be read is asked for again."""
SAY_AGAIN = timedelta(minutes=1)
"""After which the same trouble is worth saying once more."""


class RecordsScreen(DetailsScreen):
    """Reads what views 4 and 5 lack, once they are looked at; and again what could not be read."""

    def __init__(self) -> None:
        super().__init__()
        self.history = HistoryView()
        self.health = HealthView()
        self.unread: CronPilotError | None = None  # what kept rows from being read
        self._again: Timer | None = None
        self._said: tuple[str, datetime] | None = None

    @abstractmethod
    def read_all(self) -> None:
        """Read again whatever is shown."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        """What the engine cannot give now (a locked or damaged database) is asked for again."""
        try:
            yield
            self.unread = None
        except NoEngine:
            return  # the status bar says so, and connecting again reads again
        except CronPilotError as error:
            self._read_later(error)

    def _read_later(self, error: CronPilotError) -> None:
        self.unread = error
        if self._said is None or self._said[0] != str(error) or (
            self.now() - self._said[1] >= SAY_AGAIN
        ):  # fmt: skip
            self._said = str(error), self.now()
            self.tell_error(error)
        if self._again is None:
            self._again = self.set_timer(AGAIN_S, self._once_more)

    def _once_more(self) -> None:
        self._again = None
        self.read_all()

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
            no_history(history.filters, is_read=history.is_read, key=self.key,
                       trouble=history.trouble)
        )  # fmt: skip
        self.health.table.say_instead(no_health(self.health.trouble))
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
            self.health.failed(error, self.now())

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
            history.failed(number, error)
            self._read_later(error)
            return
        history.put(pages, number, page.rows)
        self.tick(self.now())
