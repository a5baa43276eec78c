"""Staying in touch with an engine: connect, listen, notice silence, connect again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from cronpilot.errors import CronPilotError, LogInRefused, NoEngine, TooManyRequests

if TYPE_CHECKING:
    from cronpilot.client.messages import EngineStatus, Event
    from cronpilot.client.protocol import Client

RETRY = 1.0
"""Seconds between two attempts to connect."""
RETRY_REFUSED = 30.0
"""The same when user or password are wrong by now: haste would look like guessing."""
HEARTBEAT = 4.0
"""Seconds between two questions whether the engine still answers; also the patience for an answer.
Together they keep a frozen engine from being shown as live for more than 8 s."""


def _patience(error: CronPilotError) -> float:
    """Seconds until it is worth trying again."""
    match error:
        case LogInRefused():
            return RETRY_REFUSED
        case TooManyRequests():
            return max(RETRY, error.wait_s)
        case _:
            return RETRY


class Listener(Protocol):
    """Who wants to hear of it."""

    def connected(self, status: EngineStatus) -> None: ...

    def lost(self, error: CronPilotError) -> None: ...

    def heard(self, event: Event) -> None: ...

    def answered(self, status: EngineStatus) -> None: ...


class Connection:
    """One engine, found again whenever it is lost.

    Attributes:
        client: None while nobody answers.
    """

    def __init__(self, connect: Callable[[], Awaitable[Client]], listener: Listener) -> None:
        self.client: Client | None = None
        self._connect = connect
        self._listener = listener

    async def stay(self) -> None:
        """Connect and listen until cancelled."""
        while True:
            error = await self._once()
            self._listener.lost(error)
            await asyncio.sleep(_patience(error))

    async def _once(self) -> CronPilotError:
        """Connect and listen until it ends; why it did."""
        client: Client | None = None
        try:
            client = await self._connect()
            status = await asyncio.wait_for(client.status(), HEARTBEAT)
            self.client = client
            return await self._listen(client, status)
        except TimeoutError:
            return NoEngine("that state directory: it does not answer")
        except CronPilotError as error:
            return error
        finally:
            self.client = None
            if client is not None:
                with contextlib.suppress(CronPilotError):  # it is gone already
                    await client.close()

    async def _listen(self, client: Client, status: EngineStatus) -> CronPilotError:
        """Hear what changes until that ends; why it did."""
        failures: list[BaseException] = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._take_events(client))
                await asyncio.sleep(0)  # listen first, then read: nothing falls between the two
                self._listener.connected(status)
                group.create_task(self._ask_now_and_then(client))
        except* CronPilotError as failed:
            failures.extend(failed.exceptions)
        first = failures[0]
        assert isinstance(first, CronPilotError)
        return first

    async def _take_events(self, client: Client) -> None:
        async for event in client.events():
            self._listener.heard(event)
        raise NoEngine("that state directory any more")

    async def _ask_now_and_then(self, client: Client) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            try:
                self._listener.answered(await asyncio.wait_for(client.status(), HEARTBEAT))
            except TimeoutError:
                raise NoEngine("that state directory: it does not answer") from None
