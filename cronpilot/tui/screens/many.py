"""Acting on all marked tasks at once, pausing until a time, and how the table shows tasks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4
from zoneinfo import ZoneInfo

from textual import on, work
from textual.binding import Binding

from cronpilot.domain.run import Status
from cronpilot.domain.text import clean
from cronpilot.domain.zones import find_zone
from cronpilot.errors import CronPilotError, InvalidSchedule
from cronpilot.tui.formatting import plural, result
from cronpilot.tui.meaning import MEANT
from cronpilot.tui.screens import questions
from cronpilot.tui.screens.editing import EditingScreen
from cronpilot.tui.widgets.tasks_view import TasksView

if TYPE_CHECKING:
    from cronpilot.client.messages import TaskSort
    from cronpilot.client.protocol import StopSignal
    from cronpilot.tui.widgets.view import View

MANY_KEYS = (
    Binding("z", "pause_until", "Pause until", id="task.pause_until", show=False,
            tooltip="Pause this task until a time: 2h, 18:00, or a date too"),
)  # fmt: skip
"""For the bindings of a screen."""

MOST_MARKED = 1_000
"""Tasks that `A` marks: more at once are better done with the command line."""
_MOST_TOLD = 4  # failures that are named


class ManyScreen(EditingScreen):
    """What a key does to one task, it does to all marked ones, after one question."""

    ON_A_TASK = EditingScreen.ON_A_TASK | {"pause_until"}
    current: View

    def __init__(self) -> None:
        super().__init__()
        self.tasks = TasksView()

    def marked(self) -> Mapping[int, str]:
        """The tasks that a key means if they are many: none in other views, nor for the palette."""
        is_here = self.current is self.tasks and self.tasks.table.has_focus
        return dict(self.tasks.marks) if is_here and MEANT.get() is None else {}

    # --- the keys --------------------------------------------------------------------------------

    def action_run_now(self) -> None:
        """Start the chosen task, or all marked ones."""
        if marked := self.marked():
            self._run_many(marked)
        else:
            super().action_run_now()

    def action_stop_run(self) -> None:
        """Ask how to stop the chosen run, or those of all marked tasks."""
        if marked := self.marked():
            self._stop_many(marked)
        else:
            super().action_stop_run()

    def action_pause_task(self) -> None:
        """Pause the chosen task or resume it; of marked ones it is asked which."""
        if marked := self.marked():
            self._pause_many(marked)
        else:
            super().action_pause_task()

    def action_delete_task(self) -> None:
        """Take the chosen task away, or all marked ones."""
        if marked := self.marked():
            self._delete_many(marked)
        else:
            super().action_delete_task()

    def action_pause_until(self) -> None:
        """Pause the chosen task, or all marked ones, until a time."""
        if marked := self.marked():
            self._pause_these_until(marked)
        elif chosen := self.chosen_task():
            self._pause_these_until(dict([chosen]))

    # --- what they do ----------------------------------------------------------------------------

    @work(group="act")
    async def _run_many(self, marked: Mapping[int, str]) -> None:
        from cronpilot.tui.screens import table_questions as ask  # seldom needed

        if await self.app.push_screen_wait(ask.run_many(list(marked.values()))) is None:
            return

        async def run(task_id: int) -> None:
            started = await self.client.run_now(task_id, request_id=uuid4().hex)
            if started.status is Status.SKIPPED:
                raise CronPilotError(f"It was skipped: it {result(started)}.")

        await self._to_each(marked, run, "started")

    @work(group="act")
    async def _stop_many(self, marked: Mapping[int, str]) -> None:
        from cronpilot.client.messages import RunQuery
        from cronpilot.tui.screens import table_questions as ask

        answer = await self.app.push_screen_wait(ask.stop_many(list(marked.values())))
        if answer is None:
            return

        async def stop(task_id: int) -> None:
            active = (await self.client.runs(RunQuery(task_id=task_id, active=True))).rows
            if not active:
                raise CronPilotError("It does not run now.")
            for run in active:
                await self.client.stop_run(run.id, signal=cast("StopSignal", answer))

        await self._to_each(marked, stop, "told to stop")

    @work(group="act")
    async def _pause_many(self, marked: Mapping[int, str]) -> None:
        from cronpilot.tui.screens import table_questions as ask

        answer = await self.app.push_screen_wait(ask.pause_many(list(marked.values())))
        if answer == ask.PAUSE:
            await self._to_each(marked, self.client.pause_task, "paused")
        elif answer == ask.RESUME:
            await self._to_each(marked, self.client.resume_task, "resumed")
        elif answer == ask.UNTIL:
            self._pause_these_until(marked)

    @work(group="act")
    async def _pause_these_until(self, marked: Mapping[int, str]) -> None:
        what = next(iter(marked.values())) if len(marked) == 1 else plural(len(marked), "task")
        with self.telling():
            zone = self._zone_name()
            if len(marked) == 1:
                zone = (await self.client.task(next(iter(marked)))).timezone
            until = await self._ask_until(f"Pause {what} until when?", zone)
            if until is None:
                return

            async def pause(task_id: int) -> None:
                await self.client.pause_task(task_id, until=until)

            await self._to_each(marked, pause, "paused")

    async def _ask_until(self, title: str, zone: str) -> datetime | None:
        from cronpilot.tui.screens.ask_moment import AskMoment

        return await self.app.push_screen_wait(AskMoment(title, _zone(zone)))

    @work(group="act", exclusive=True)
    async def action_pause_scheduler(self) -> None:
        """Pause the whole scheduler, perhaps until a time, or resume it."""
        paused = self.status is not None and self.status.paused
        question = questions.resume_scheduler() if paused else questions.pause_scheduler()
        answer = await self.app.push_screen_wait(question)
        if answer is None:
            return
        if answer == questions.UNTIL:
            await self._pause_scheduler_until()
            return
        with self.telling():
            act = self.client.resume_scheduler if paused else self.client.pause_scheduler
            self.answered(await act())

    async def _pause_scheduler_until(self) -> None:
        until = await self._ask_until("Pause the whole scheduler until when?", self._zone_name())
        if until is not None:
            with self.telling():
                self.answered(await self.client.pause_scheduler(until=until))

    @work(exclusive=True, group="edit")
    async def _delete_many(self, marked: Mapping[int, str]) -> None:
        from cronpilot.tui.screens import table_questions as ask

        if await self.app.push_screen_wait(ask.delete_many(list(marked.values()))) is None:
            return

        async def delete(task_id: int) -> None:
            gone = await self.client.delete_task(task_id)
            self.remember_deleted(gone.id, gone.name)

        await self._to_each(marked, delete, "deleted; U brings them back one by one")

    async def _to_each(
        self, marked: Mapping[int, str], act: Callable[[int], Awaitable[Any]], done: str
    ) -> None:
        """Do it to one after the other, and say to how many it was done and of which it was not.
        Those stay marked."""
        self.pilot_app.asks_no_more()
        failed: dict[int, CronPilotError] = {}
        for task_id in marked:
            try:
                await act(task_id)
            except CronPilotError as error:
                failed[task_id] = error
        if self.tasks.marks:
            self.tasks.mark({key: marked[key] for key in failed})
        if len(marked) == 1 and not failed:
            return
        title = f"{plural(len(marked) - len(failed), 'task')} {done}"
        told = [f"{clean(marked[key])}: {clean(error.problem)}"
                for key, error in list(failed.items())[:_MOST_TOLD]]  # fmt: skip
        if len(failed) > _MOST_TOLD:
            told.append(f"and {len(failed) - _MOST_TOLD} more, which stay marked")
        self.notify("\n".join(told), title=title, markup=False,
                    severity="warning" if failed else "information")  # fmt: skip

    # --- order, columns, marks -------------------------------------------------------------------

    def timeline_order(self) -> tuple[str, bool]:
        """The timeline has the order of the tasks."""
        return self.tasks.sort, self.tasks.descending

    @on(TasksView.Asked)
    def _tasks_asked(self, event: TasksView.Asked) -> None:
        match event.what:
            case "sort":
                self._ask_sort()
            case "columns":
                self._ask_columns()
            case "mark all":
                self._mark(others=False)
            case "mark others":
                self._mark(others=True)

    @work(exclusive=True, group="ask")
    async def _ask_sort(self) -> None:
        from cronpilot.tui.screens.table_questions import sort_by

        view = self.tasks
        answer = await self.app.push_screen_wait(sort_by(view.sort, descending=view.descending))
        if answer is not None:
            # What one looks for first: the longest, the newest; but the worst rate, the soonest.
            usual = answer in ("duration", "last_run")
            again = answer == view.sort
            descending = not view.descending if again else usual
            view.order_by(cast("TaskSort", answer), descending=descending)

    @work(exclusive=True, group="ask")
    async def _ask_columns(self) -> None:
        from cronpilot.tui.screens.table_questions import ColumnsDialog

        hidden = await self.app.push_screen_wait(ColumnsDialog(self.tasks.hidden))
        self.tasks.hide(hidden)

    @work(exclusive=True, group="mark")
    async def _mark(self, *, others: bool) -> None:
        """All tasks that match the filter, or those of them that are not marked; or none."""
        view = self.tasks
        with self.telling():
            found, total = await self._matching()
            before = dict(view.marks)
            left = {key: name for key, name in found.items() if not others or key not in before}
            view.mark({} if not others and left.keys() <= before.keys() else left)
            if total > len(found):
                self.notify(f"Marked only among the first {MOST_MARKED:,} of {total:,} tasks.",
                            markup=False)  # fmt: skip

    async def _matching(self) -> tuple[dict[int, str], int]:
        from cronpilot.client.messages import TaskQuery

        view, found = self.tasks, dict[int, str]()
        while True:
            page = await self.client.tasks(
                TaskQuery(text=view.filter, sort=view.sort, descending=view.descending,
                          offset=len(found))
            )  # fmt: skip
            found |= {task.id: task.name for task in page.rows}
            if not page.rows or len(found) >= min(page.total, MOST_MARKED):
                return found, page.total


def _zone(name: str) -> ZoneInfo:
    try:
        return find_zone(name)
    except InvalidSchedule:
        return ZoneInfo("UTC")
