"""Hands what has changed to everyone who listens: changed rows only, each read once."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from cronpilot.client.messages import Gap
from cronpilot.engine.planner import Changes
from cronpilot.errors import StorageProblem

if TYPE_CHECKING:
    from cronpilot.client.messages import Event

MERGE_S = 0.05  # changes within this time are read together
FLOOD = 500  # more changed rows than this at once: whoever looks reads its window again
REMEMBERED = 2_000  # events that a front end can resume from
BACKLOG = 1_000  # events that a slow listener may be behind
AGAIN_S = 1.0  # between two readings of what the database does not give

log = logging.getLogger("cronpilot")

Load = Callable[[Changes], Awaitable[Sequence["Event"]]]


class Bus:
    """Changes in, numbered events out. Lives in the engine's loop; only `tell` is called outside
    of it, through `call_soon_threadsafe`."""

    def __init__(self, engine_id: str, load: Load) -> None:
        self._engine_id, self._load = engine_id, load
        self._changes = Changes()
        self._wanted = asyncio.Event()
        self._seq = 0
        self._past: deque[tuple[int, Event]] = deque(maxlen=REMEMBERED)
        self._forgotten = 0  # the newest number that is not in `_past` any more
        self._listeners: set[asyncio.Queue[Event | None]] = set()
        self._closed = False
        self.heard: list[Callable[[], None]] = []  # called whenever something has changed
        self.told: list[Callable[[Changes], None]] = []  # the same, with what it was

    def tell(self, changes: Changes | None = None) -> None:
        """Something has changed; without details, the figures of the status bar."""
        if changes is not None:
            self._changes.add(changes)
            for heard in self.heard:
                heard()
            for told in self.told:
                told(changes)
        self._wanted.set()

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            changes, self._changes = self._changes, Changes()
            if self._listeners:
                try:
                    self._publish(await self._events(changes))
                except StorageProblem as problem:  # told by those who write; read again
                    log.warning("What has changed is told later: %s", problem)
                    self._changes.add(changes)
                    self._wanted.set()
                    await asyncio.sleep(AGAIN_S)
            else:  # nobody to read for; whoever resumes later hears that there is a gap
                self._seq += 1
                self._past.clear()
                self._forgotten = self._seq
            await asyncio.sleep(MERGE_S)

    async def _events(self, changes: Changes) -> Sequence[Event]:
        if len(changes.task_ids) + len(changes.run_ids) > FLOOD:
            return [Gap()]
        return await self._load(changes)

    def _publish(self, events: Sequence[Event]) -> None:
        for event in events:
            self._seq += 1
            numbered = event.model_copy(update={"id": f"{self._engine_id}:{self._seq}"})
            if len(self._past) == REMEMBERED:
                self._forgotten = self._past[0][0]
            self._past.append((self._seq, numbered))
            for listener in self._listeners:
                self._hand(listener, numbered)

    def _hand(self, listener: asyncio.Queue[Event | None], event: Event) -> None:
        if listener.qsize() >= BACKLOG:
            while not listener.empty():
                listener.get_nowait()
            event = Gap(id=event.id)
        listener.put_nowait(event)

    async def events(self, after: str | None) -> AsyncIterator[Event]:
        """What changes from now on, preceded by what came after the event of that id."""
        if self._closed:
            return
        listener: asyncio.Queue[Event | None] = asyncio.Queue()
        missed = self._since(after)
        self._listeners.add(listener)
        try:
            for event in missed:
                yield event
            while (event_or_end := await listener.get()) is not None:
                yield event_or_end
        finally:
            self._listeners.discard(listener)

    def _since(self, after: str | None) -> list[Event]:
        if after is None:
            return []
        engine_id, _, number = after.rpartition(":")
        if engine_id != self._engine_id or not number.isdigit() or int(number) < self._forgotten:
            return [Gap(id=f"{self._engine_id}:{self._seq}")]
        return [event for seq, event in self._past if seq > int(number)]

    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        for listener in self._listeners:
            listener.put_nowait(None)
