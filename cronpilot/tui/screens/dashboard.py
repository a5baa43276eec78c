"""The one screen that one lives in: views, the log below them, the bars around them."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType

from cronpilot.domain.run import ACTIVE
from cronpilot.domain.zones import find_zone
from cronpilot.errors import CronPilotError, InvalidSchedule, LogInRefused
from cronpilot.tui.inbox import Changes
from cronpilot.tui.meaning import MEANT
from cronpilot.tui.painting import paint_now
from cronpilot.tui.screens.dashboard_keys import DASHBOARD_KEYS
from cronpilot.tui.screens.empty import lost_banners, no_log, no_runs, no_tasks, too_small
from cronpilot.tui.screens.first_start import FirstStartScreen
from cronpilot.tui.screens.live import LiveScreen
from cronpilot.tui.screens.panes import PanesScreen
from cronpilot.tui.screens.recalling import RecallingScreen
from cronpilot.tui.screens.upcoming import UpcomingScreen
from cronpilot.tui.widgets.banner_line import BannerLine
from cronpilot.tui.widgets.find_hints import FILTER_HINTS, FIND_HINTS
from cronpilot.tui.widgets.key_bar import KeyBar, hints_of
from cronpilot.tui.widgets.line_table import WINDOW, LineTable
from cronpilot.tui.widgets.lines import Lines
from cronpilot.tui.widgets.log_view import LogView
from cronpilot.tui.widgets.status_bar import Situation, StatusBar
from cronpilot.tui.widgets.tasks_view import TasksView
from cronpilot.tui.widgets.view import View
from cronpilot.tui.widgets.view_tabs import Tab, ViewTabs

if TYPE_CHECKING:
    from cronpilot.client.messages import EngineStatus, RunView, TaskView

SECOND_LOOK = 1.0
"""Seconds after which everything is read once more: what changed before the stream of events was
open has reached nobody."""


class Dashboard(RecallingScreen, LiveScreen, UpcomingScreen, PanesScreen, FirstStartScreen):
    """Asks the client, and hands what comes back to the widgets that show it."""

    BINDINGS: ClassVar[list[BindingType]] = DASHBOARD_KEYS

    def __init__(self) -> None:
        super().__init__()
        self.status_bar = StatusBar(id="status")
        self.banner = BannerLine(id="banner")
        self.tabs = ViewTabs(id="tabs")
        self.key_bar = KeyBar(id="keys")
        self.too_small = Lines(id="too-small")
        self.views: tuple[View, ...] = (
            self.tasks, self.running, self.upcoming, self.history, self.health
        )  # fmt: skip
        self.current: View = self.tasks
        self.lost_since: datetime | None = None
        self.trouble: CronPilotError | None = None
        self.refused = ""  # the engine is there, and lets us in no more: why
        self.zone: tzinfo = UTC
        self.came_from: View | None = None  # the view in which the history was asked for
        self._has_object: bool | None = None  # whether the keys for a task have one

    def compose(self) -> ComposeResult:
        yield self.too_small
        yield self.status_bar
        yield self.banner
        yield self.tabs
        yield from self.views
        yield self.panel
        yield self.key_bar

    def on_mount(self) -> None:
        if (known := self.pilot_app.last_known) is not None:
            self._show_times_in(known.timezone)
        self.show_view(self.tasks)
        self.arrange_panes()
        self.bindings_updated_signal.subscribe(self, lambda _: self.tell_keys())
        self.tick(self.now())

    # --- what the app says -----------------------------------------------------------------------

    def connected(self, status: EngineStatus) -> None:
        """An engine answers: read everything."""
        self.lost_since = self.trouble = None
        self.refused = ""
        self.remove_class("-lost")
        self._take_status(status)
        self.look_for_cron_lines()
        self.read_all()
        self.open_log(now=True)
        self.set_timer(SECOND_LOOK, self.read_all)
        self.tick(self.now())

    def lost(self, error: CronPilotError) -> None:
        """The engine does not answer. What is shown stays, but not as if it were live."""
        self.trouble = error
        refused = isinstance(error, LogInRefused)
        self.refused = f"{error.problem} Start again to log in." if refused else ""
        if self.status is not None and self.lost_since is None:
            self.lost_since = self.now()
            self.add_class("-lost")
        elif self.status is None:
            self.tasks.forget_last_known()  # in their place stands why there is no engine
        self.tick(self.now())

    def apply(self, changes: Changes) -> None:
        """Things are different now."""
        if changes.status is not None:
            self._take_status(changes.status)
        if self.tasks.apply(changes):
            self._read_tasks(self.tasks.table.wanted_offset())
        if self.running.apply(changes):
            self.read_runs()
        self.upcoming.apply(changes)
        self.apply_to_records(changes)
        self._apply_to_log(changes)
        self.apply_to_details(changes)
        self.tick(self.now())

    def answered(self, status: EngineStatus) -> None:
        """The engine was asked how it is, and said so."""
        self._take_status(status)
        self.tell()

    def tick(self, now: datetime) -> None:
        """Paint what reads differently now."""
        self.current.tick(now)
        self.show_panel_head()
        self.panel.tick(now)
        self.tell()

    def _take_status(self, status: EngineStatus) -> None:
        before, self.status = self.status, status
        if not status.total_tasks or not (before and before.total_tasks):
            self.refresh_bindings()  # what can be done to a task needs one
        if before is None or before.timezone != status.timezone:
            self._show_times_in(status.timezone)

    def _show_times_in(self, timezone: str) -> None:
        self.zone = self.panel.output.zone = _zone(timezone)
        for view in self.views:
            view.set_zone(self.zone)

    # --- the bars --------------------------------------------------------------------------------

    def tell(self) -> None:
        app, status = self.pilot_app, self.status
        self.status_bar.tell(
            Situation(self.now(), app.host, app.state_dir, app.role, status, self.lost_since,
                      self.zone, app.who, self.refused)
        )  # fmt: skip
        own = [*lost_banners(self.trouble, self.lost_since), app.key_problem]
        self.too_small.show(too_small(status, self.size.width, lost=self.lost_since is not None))
        self.banner.tell([one for one in (*own, *(status.banners if status else ())) if one])
        self._tell_tabs()
        self._tell_instead()
        self._tell_if_object_changed()

    def _tell_tabs(self) -> None:
        view, key = self.current, self._view_key
        tabs = [Tab(key(one), one.TITLE, one.things(self.status)) for one in self.views]
        self.tabs.tell(tabs, key(view), text=view.filters, total=view.total, more=view.more,
                       note=view.note,
                       last_known=view is self.tasks and self.tasks.is_last_known)  # fmt: skip

    def tell_tabs(self) -> None:
        self._tell_tabs()
        paint_now(self.tabs)

    def _view_key(self, view: View) -> str:
        return self.key(f"view.{view.id}", view.KEY)

    def _tell_instead(self) -> None:
        app = self.pilot_app
        self.tasks.table.say_instead(
            no_tasks(
                self.tasks.filter,
                app.role,
                self.status,
                self.trouble or self.unread,
                self.cron_lines,
                self.key,
                app.identity,
            )
        )
        self.running.table.say_instead(
            no_runs(self.running.filter, self.status, self.now(), self.zone, self.key, app.identity)
        )
        self.tell_records()
        self.tell_upcoming()
        self.tell_live()

    def tell_keys(self) -> None:
        if not self.is_current:
            return
        if self.filter_line is not None and self.filter_line.has_focus_within:
            self.key_bar.tell(FILTER_HINTS, always=())
        elif self.is_typing_in_log:
            self.key_bar.tell(FIND_HINTS, always=())
        else:
            without = set() if self._has_object else self.ON_A_TASK | {"open"}
            # Where there is nothing yet the bar has the three keys to begin with, and no others.
            without |= {"filter", "focus_log"} if self.has_no_tasks else {"load_tasks"}
            words, first = {"back": self._esc_word()}, []
            if self.current is self.upcoming and self.upcoming.is_picture:
                words["picture"], first = "list", ["picture"]  # the way back from it
            self.key_bar.tell(hints_of(self, without=without, first=first, words=words))

    def _esc_word(self) -> str:
        """What Esc does now: it says so before it takes marks or a filter away."""
        if self.panel_size == "whole" or self.panel.has_focus_within or self.came_from:
            return "back"
        if self.current.note:
            return "unmark"
        return "show all" if self.current.filters else "back"

    def _tell_if_object_changed(self) -> None:
        has = self.chosen_task() is not None or self.chosen_run() is not None
        if has is not self._has_object:
            self._has_object = has
            self.tell_keys()

    def go_to_task(self, task_id: int, name: str) -> None:
        """To this task in the list of those that are called like it."""
        self.action_view("tasks")
        self.tasks.refilter(name)
        self.tasks.table.go_to(task_id)
        self.refiltered()

    def added(self, task: TaskView) -> None:
        """To the task that was just made, if it is known where it stands in the list."""
        view = self.tasks
        total = 1 + (self.status.total_tasks if self.status else view.table.total)
        at_the_end = view.sort == "id" and not view.descending
        if self.current is not view or not (at_the_end or total <= WINDOW):
            return
        view.filter = ""  # it may hide the new one
        view.table.go_to(task.id)
        self._read_tasks(max(0, total - WINDOW) if at_the_end else 0, WINDOW)
        self.refiltered()

    def open_history(self, name: str, *, bad: bool = False) -> None:
        """From there Esc leads back here."""
        before = self.current
        super().open_history(name, bad=bad)
        self.came_from = before if before is not self.history else None
        self.tell_keys()

    def action_view(self, name: str) -> None:
        """Show another view."""
        self.came_from = None
        super().action_view(name)

    def action_back(self) -> None:
        """Esc: the filter first, then out of the log; out of the history to where it was asked
        for."""
        to_view = self.panel_size != "whole" and not self.panel.has_focus_within
        came_from = self.came_from if to_view else None
        super().action_back()
        if came_from is not None:
            self.action_view(str(came_from.id))

    # --- reading ---------------------------------------------------------------------------------

    def read_all(self) -> None:
        self._read_tasks(self.tasks.table.wanted_offset())
        self.read_runs()
        self.upcoming.read_again()
        self.read_records()

    @on(TasksView.Refiltered)
    def _tasks_refiltered(self) -> None:
        self.tasks.forget_last_known()
        self._read_tasks(0)

    @work(exclusive=True, group="read tasks")
    async def _read_tasks(self, offset: int, limit: int | None = None) -> None:
        from cronpilot.client.messages import TaskQuery  # after the first paint

        view = self.tasks
        query = TaskQuery(text=view.filter, sort=view.sort, descending=view.descending,
                          offset=offset, limit=limit or view.table.at_once)  # fmt: skip
        with self.reading():
            page = await self.client.tasks(query)
            is_first = view.is_last_known
            view.put(offset, page)
            self.tick(self.now())
            if is_first:
                self.open_log(now=True)  # the cursor has been here, but on no row of an engine's
        view.answered(query)

    @work(exclusive=True, group="read runs")
    async def read_runs(self) -> None:
        from cronpilot.client.messages import RunQuery  # after the first paint

        with self.reading():
            page = await self.client.runs(RunQuery(active=True))
            self.running.put(page.rows)
            self.tick(self.now())

    @on(LineTable.RowsWanted)
    def _rows_wanted(self, event: LineTable.RowsWanted) -> None:
        if event.table is self.tasks.table:
            if self.tasks.is_last_known and self.pilot_app.client is None:
                self.recall_more(event.offset)
            else:
                self._read_tasks(event.offset)
        elif event.table is self.history.table:
            self.history.look_for_pages(event.offset)

    @on(LineTable.CursorMoved)
    def _cursor_moved(self, event: LineTable.CursorMoved) -> None:
        if event.table is self.running.table and event.by_user:
            self.running.let_go()
        if event.table is self.current.table:
            self.open_log()
            self._tell_if_object_changed()

    # --- the log ---------------------------------------------------------------------------------

    def _run_under_cursor(self) -> int | None:
        """The run whose output belongs to the row under the cursor."""
        if self.current is not self.tasks:
            return self.current.table.row_id if self.current.HAS_LOG else None
        task = self.tasks.chosen
        return task.last_run.id if task and task.last_run else None

    def open_log(self, *, now: bool = False) -> None:
        """Show the output of what is under the cursor, unless it is shown already."""
        self.read_details()
        run_id = self._run_under_cursor()
        is_shown = run_id is not None and run_id == self.log_wanted
        if self.shown_size() == "none" or (is_shown and not now):
            return
        if run_id is not None:
            self.show_log(run_id, settle=not now and self.panel_size != "whole")
        elif self.current is self.tasks:
            self.workers.cancel_group(self, "log")
            self.log_wanted = None
            self.panel.show_nothing(no_log(self.tasks.chosen, self.key, self.pilot_app.identity))

    async def run_to_read(self, run_id: int) -> int:
        """This run; or the one that goes on, where this one was only skipped beside it."""
        task = self.tasks.chosen
        last = task.last_run if task else None
        if self.current is not self.tasks or not task or not last:
            return run_id
        if last.id != run_id or last.status in ACTIVE or not task.running:
            return run_id
        from cronpilot.client.messages import RunQuery  # after the first paint

        active = (await self.client.runs(RunQuery(task_id=task.id, active=True))).rows
        return active[-1].id if active else run_id

    def _apply_to_log(self, changes: Changes) -> None:
        shown = self.panel.run_shown
        if shown is not None and shown.id in changes.runs:
            self.panel.update_run(changes.runs[shown.id])
        task = self.tasks.chosen
        if self.current is not self.tasks or task is None or task.last_run is None:
            return
        newest = task.last_run
        if newest.started_at is None and newest.status not in ACTIVE:
            return  # skipped or missed: nothing to read in it, whatever is shown is better
        is_reading = self.log_pinned or not self._at_the_end()
        if shown and shown.task_id == task.id and newest.id > shown.id and is_reading:
            self.panel.offer_newer(newest.id)
        elif not self.log_pinned:
            self.open_log()

    def _at_the_end(self) -> bool:
        return self.panel.output.following

    @on(LogView.FollowChanged)
    def _follow_changed(self) -> None:
        if self.panel.newer is not None and self._at_the_end():
            self.show_log(self.panel.newer)

    # --- what a key means: what was under the cursor when it was pressed -------------------------

    def action_open(self) -> None:
        """Enter: all about the run under the cursor; of a task its log."""
        if run := self.chosen_run():
            self.open_run(run)
        elif self.current is self.tasks:
            self.show_log_tab()
            self.resize_panel("whole")
        elif self.current is self.health and self.health.chosen:
            self.open_line(self.health.chosen)
        elif self.current is self.upcoming and self.upcoming.chosen:
            self.open_history(self.upcoming.chosen[1])

    def tasks_meant(self) -> frozenset[int]:
        return frozenset(self.marked())

    def chosen_run(self) -> RunView | None:
        if (meant := MEANT.get()) is not None:
            return meant.run
        if self.panel.output.has_focus:
            return self.panel.run_shown
        if self.current is self.history:
            return self.history.chosen
        return self.running.chosen if self.current is self.running else None

    def chosen_task(self) -> tuple[int, str] | None:
        if (meant := MEANT.get()) is not None:
            return meant.task
        if run := self.chosen_run():
            return run.task_id, run.task_name
        if self.current is self.health:
            return self.health.chosen.task if self.health.chosen else None
        if self.current is self.upcoming:
            return self.upcoming.chosen
        task = self.tasks.chosen
        return (task.id, task.name) if task and self.current is self.tasks else None


def _zone(name: str) -> tzinfo:
    """The engine's zone; UTC where this machine does not know it."""
    try:
        return find_zone(name)
    except InvalidSchedule:
        return UTC
