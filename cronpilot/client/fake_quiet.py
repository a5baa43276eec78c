"""Quiet times in a fake: those that a test hands in."""

from __future__ import annotations

from cronpilot.client.quiet import QuietTime


class FakeQuiet:
    """The part of `FakeClient` that answers for quiet times."""

    quiet: tuple[QuietTime, ...] = ()

    def answer(self) -> None:
        """As `FakeClient.answer`: raises while the engine is lost."""
        raise NotImplementedError

    async def quiet_times(self) -> list[QuietTime]:
        self.answer()
        return list(self.quiet)
