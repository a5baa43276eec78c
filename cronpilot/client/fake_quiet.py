"""Quiet times in a fake: those that a test hands in."""

from __future__ import annotations

from cronpilot.client.fake_store import FakeStore
from cronpilot.client.quiet import QuietTime


class FakeQuiet(FakeStore):
    """The part of `FakeClient` that answers for quiet times."""

    quiet: tuple[QuietTime, ...] = ()

    async def quiet_times(self) -> list[QuietTime]:
        self.answer()
        return list(self.quiet)
