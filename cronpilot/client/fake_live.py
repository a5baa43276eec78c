"""What runs take in a fake, and what it missed: whatever was put into it."""

from __future__ import annotations

from cronpilot.client.fake_store import FakeStore
from cronpilot.client.live import Downtime, RunUsage
from cronpilot.domain.run import HOLDS_SLOT


class FakeLive(FakeStore):
    """For FakeClient.

    Attributes:
        missed: what `downtime` tells until it is dismissed.
    """

    missed: Downtime | None = None

    async def usage(self) -> list[RunUsage]:
        """Every run that goes takes as many MB and percent as its number says."""
        self.answer()
        return [
            RunUsage(run_id=run.id, cpu_percent=run.id % 100, rss=run.id * 1_000_000, processes=2)
            for run in self._runs.values()
            if run.status in HOLDS_SLOT
        ]

    async def downtime(self) -> Downtime | None:
        self.answer()
        return self.missed

    async def dismiss_downtime(self) -> None:
        self.answer()
        self.calls.append(("dismiss_downtime",))
        self.missed = None
