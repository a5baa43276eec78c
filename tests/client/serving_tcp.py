"""An engine behind the real API on a real TCP port, with users."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cronpilot.api.app import make_app
from cronpilot.api.auth import Gate
from cronpilot.api.tcp import Surroundings, TcpFront
from cronpilot.client import Client
from cronpilot.client.messages import Banner
from cronpilot.config.settings import ApiSettings

from ..api.guarding import FakeAccounts
from ..patience import PATIENCE_S


@dataclass
class Told:
    """What the user was told."""

    address: str | None = None
    banners: dict[str, Banner] = field(default_factory=dict)

    def show(self, banner: Banner) -> None:
        self.banners[banner.key] = banner

    def clear(self, key: str) -> None:
        self.banners.pop(key, None)

    def listens_at(self, address: str | None) -> None:
        self.address = address

    async def until(self, *, answers: bool) -> str:
        """Its address, once it answers; or nothing, once it does not."""
        async with asyncio.timeout(PATIENCE_S):
            while (self.address is not None) is not answers:
                await asyncio.sleep(0.01)
        return self.address or ""

    async def until_banner(self) -> Banner:
        async with asyncio.timeout(PATIENCE_S):
            while not self.banners:
                await asyncio.sleep(0.01)
        return next(iter(self.banners.values()))


@dataclass
class Served:
    """One that runs."""

    front: TcpFront
    gate: Gate
    told: Told

    @property
    def address(self) -> str:
        assert self.told.address is not None
        return self.told.address

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])


@asynccontextmanager
async def served_on_tcp(
    engine: Client,
    accounts: FakeAccounts | None = None,
    *,
    wanted: bool = True,
    **settings: object,
) -> AsyncIterator[Served]:
    """The front while it runs, on a port that is free unless `settings` name one; as many questions
    a second as there may be."""
    gate = Gate(accounts or FakeAccounts())
    told, stopped = Told(), asyncio.Event()
    said = ApiSettings.model_validate({"port": 0, "rate_limit": 100_000, **settings})
    around = Surroundings(show=told.show, clear=told.clear, listens_at=told.listens_at)
    front = TcpFront(make_app(engine, gate), gate, said, around, wanted=wanted)
    running = asyncio.create_task(front.run(stopped))
    try:
        await front.tried.wait()
        yield Served(front, gate, told)
    finally:
        stopped.set()
        await running
