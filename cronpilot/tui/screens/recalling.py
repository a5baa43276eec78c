"""The part of the dashboard that shows the tasks as last known, while their engine starts."""

from __future__ import annotations

import asyncio

from textual import work

from cronpilot.errors import EngineStarts, NoEngine
from cronpilot.tui.screens.many import ManyScreen


class RecallingScreen(ManyScreen):
    """Rows that no engine has told of can be looked at; a key that needs a task waits for one."""

    async def recall(self) -> None:
        """Show what is known of the first tasks."""
        await self._recall(0)

    @work(exclusive=True, group="read tasks")
    async def recall_more(self, offset: int) -> None:
        """Show what is known of the tasks from there on."""
        await self._recall(offset)

    async def _recall(self, offset: int) -> None:
        known = self.pilot_app.last_known
        if known is None or self.pilot_app.client is not None:
            return
        view = self.tasks
        found = await asyncio.to_thread(known.tasks, offset, view.table.at_once)
        by_id = not view.filter and view.sort == "id" and not view.descending
        if found is not None and found[1] and by_id:
            view.put_last_known(offset, *found)
            self.tick(self.now())

    def say_too_early(self) -> None:
        """Why such a key does nothing."""
        if self.pilot_app.client is None and not self.pilot_app.is_starting:
            self.tell_error(NoEngine(self.pilot_app.state_dir))
            return
        early = EngineStarts()
        self.notify(early.hint, title=early.problem, markup=False, timeout=2)

    def is_too_early_for(self, action: str) -> bool:
        """Whether this is done to a task, and no engine has told of those that are shown."""
        name = action.partition("(")[0].rpartition(".")[2]
        return name in self.ON_A_TASK and self.current is self.tasks and self.tasks.is_last_known
