"""A terminal that is always the same, a clock that moves when told, and the screen on both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from textual.pilot import Pilot

from cronpilot.client.fake import NOON, FakeClient
from cronpilot.tui.app import CronPilotApp
from cronpilot.tui.options import ScreenOptions
from cronpilot.tui.screens.dashboard import Dashboard


class FrozenClock:
    """Noon UTC on a Wednesday far from any clock change; moves only by `advance`."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Shown:
    """A screen that runs, and the one who presses its keys."""

    app: CronPilotApp
    pilot: Pilot[Any]
    client: FakeClient
    clock: FrozenClock

    @property
    def dashboard(self) -> Dashboard:
        return self.app.dashboard

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for it, at most ten seconds."""
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, "it did not come to that"
            await asyncio.sleep(0.01)
        await self.pilot.pause()

    async def pass_time(self, **by: float) -> None:
        """Move the clock, and let the screen see it."""
        self.clock.advance(**by)
        self.dashboard.tick(self.clock())
        await self.pilot.pause()

    @property
    def text(self) -> str:
        """All that can be read, line by line."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in strips)


Show = Callable[..., AbstractAsyncContextManager[Shown]]


@pytest.fixture(autouse=True)
def same_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """xterm in full colour, UTF-8, UTC."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.delenv("COLORFGBG", raising=False)
    # A machine that has other things to do is no engine that does not answer.
    monkeypatch.setattr("cronpilot.tui.type_ahead.SLOW", 60.0)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def show(clock: FrozenClock) -> Show:
    """Opens the screen on a client, and waits until its rows are there."""

    @asynccontextmanager
    async def open_screen(
        client: FakeClient, *, size: tuple[int, int] = (120, 36), role: str = "owner",
        options: ScreenOptions | None = None,
    ) -> AsyncIterator[Shown]:  # fmt: skip
        async def connect() -> FakeClient:
            await client.status()
            return client

        app = CronPilotApp(
            connect, role=role, host="example", state_dir="/var/lib/cronpilot", clock=clock,
            options=options,
        )  # fmt: skip
        async with app.run_test(size=size, notifications=True) as pilot:
            shown = Shown(app, pilot, client, clock)
            await shown.until(lambda: app.dashboard.status is not None or client._lost)
            await shown.until(lambda: "Reading" not in shown.text)
            yield shown

    return open_screen
