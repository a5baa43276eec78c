"""The part of the dashboard that looks at what goes on: what runs take, what passed unseen."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from textual import work
from textual.binding import Binding

from cronpilot.domain.run import Status
from cronpilot.errors import CronPilotError
from cronpilot.tui.screens.asking import AskingScreen
from cronpilot.tui.widgets.running_view import RunningView

if TYPE_CHECKING:
    from cronpilot.client.messages import EngineStatus

LIVE_KEYS = (
    Binding("m", "show_missed", "Missed", id="view.missed",
            tooltip="What passed while no engine ran, and what was made up for"),
)  # fmt: skip
"""For the bindings of a screen."""

EVERY = timedelta(seconds=2)
"""How often CPU and memory are measured, while somebody looks and something runs."""
LINE_EVERY = timedelta(seconds=5)
"""How often places in line are read: they change without an event of those who still wait."""
DOWNTIME = "downtime"  # the key of the banner


class LiveScreen(AskingScreen[None], inherit_bindings=False):
    """Measures only while view 2 is seen."""

    status: EngineStatus | None

    def __init__(self) -> None:
        super().__init__()
        self.running = RunningView()
        self._measured_at: datetime | None = None
        self._lined_up_at: datetime | None = None

    @abstractmethod
    def read_runs(self) -> object:
        """Read all active runs."""

    def tell_live(self) -> None:
        """While the running view is seen: measure when it is time to."""
        now = self.now()
        if not self.running.is_current or self.pilot_app.client is None:
            self._measured_at = None
            return
        statuses = {run.status for run in self.running.table.rows}
        if Status.RUNNING in statuses and _is_due(self._measured_at, now, EVERY):
            self._measured_at = now
            self._measure()
        if Status.QUEUED in statuses and _is_due(self._lined_up_at, now, LINE_EVERY):
            self._lined_up_at = now
            self.read_runs()

    @work(exclusive=True, group="measure")
    async def _measure(self) -> None:
        try:
            usage = await self.client.usage()
        except CronPilotError:
            return  # the status bar says so; the next look asks again
        self.running.table.put_usage(usage)
        self.running.tick(self.now())

    # --- what passed without an engine -----------------------------------------------------------

    @property
    def has_missed(self) -> bool:
        """Whether there is something to look over."""
        banners = self.status.banners if self.status else []
        return any(banner.key == DOWNTIME for banner in banners)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "show_missed":
            return self.has_missed
        return super().check_action(action, parameters)

    @work(exclusive=True, group="missed")
    async def action_show_missed(self) -> None:
        """What passed while no engine was there."""
        from cronpilot.tui.screens.catch_up import CatchUpPage  # seldom needed

        with self.telling():
            downtime = await self.client.downtime()
            if downtime is None:
                self.notify("Nothing passed unseen.", markup=False, timeout=3)
            else:
                self.app.push_screen(CatchUpPage(downtime, self.running.table.zone, self.status))


def _is_due(before: datetime | None, now: datetime, every: timedelta) -> bool:
    return before is None or not timedelta() <= now - before < every
