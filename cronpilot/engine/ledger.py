"""The audit and the pools, as front ends read them: with an engine and without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cronpilot.client.actor import WHO
from cronpilot.client.users import AuditEntry, AuditQuery, Me, PoolView
from cronpilot.domain.access import Role
from cronpilot.engine.reading import Reader
from cronpilot.storage import audit, runs
from cronpilot.storage.database import Connection


class Ledger:
    """Who did what, and which slots are taken. `room` is the worker slots and those of pools."""

    def __init__(self, reader: Reader, room: Callable[[], tuple[int, Mapping[str, int]]]) -> None:
        self._reader, self._room = reader, room

    async def me(self) -> Me:
        """Whoever reaches an engine without HTTP is its owner."""
        return Me(name=WHO.get(), role=Role.ADMIN)

    async def audit(self, query: AuditQuery) -> list[AuditEntry]:
        rows = await self._reader.read(lambda connection: audit.page(connection, query))
        return [AuditEntry.model_validate(dict(row)) for row in rows]

    async def pool_slots(self) -> list[PoolView]:
        return await self._reader.read(lambda connection: pool_views(connection, *self._room()))


def pool_views(
    connection: Connection, max_workers: int, pools: Mapping[str, int]
) -> list[PoolView]:
    """All worker slots as the pool without a name, then the pools by name."""
    busy, waiting = runs.busy(connection), runs.waiting(connection)
    whole = PoolView(
        name="", slots=max_workers, busy=sum(busy.values()), waiting=sum(waiting.values())
    )
    return [whole] + [
        PoolView(name=name, slots=slots, busy=busy.get(name, 0), waiting=waiting.get(name, 0))
        for name, slots in sorted(pools.items())
    ]
