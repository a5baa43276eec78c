"""The reading half of `Client`, on a database without an engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from cronpilot.engine.offline_parts import OfflineParts
from cronpilot.engine.reading import Reader
from cronpilot.engine.views import Congestion
from cronpilot.errors import NoEngine
from cronpilot.storage.database import Connection, Database

if TYPE_CHECKING:
    from cronpilot.client.messages import EngineStatus, Event, Explanation
    from cronpilot.domain.access import Role
    from cronpilot.domain.quiet import Rule


class OfflineClient(OfflineParts):
    """Reads what is there; whatever changes something needs an engine (NoEngine)."""

    def __init__(
        self,
        database: Path,
        state_dir: Path,
        *,
        max_workers: int,
        timezone: str,
        tasks_file: Path | None = None,
        quiet: Mapping[str, Rule] | None = None,
    ) -> None:
        self._database = Database(database, read_only=True)
        reader = Reader(self._database, state_dir, lambda: datetime.now(UTC), _no_engine)
        super().__init__(
            reader, database, state_dir,
            max_workers=max_workers, timezone=timezone, tasks_file=tasks_file, quiet=quiet,
        )  # fmt: skip

    async def status(self) -> EngineStatus:
        from cronpilot.engine.status import read_status

        return await self._reader.read(
            lambda connection: read_status(
                connection, max_workers=self._max_workers, timezone=self._timezone, engine=None
            )
        )

    async def downtime(self) -> None:
        """It goes on: the next engine will say what passed."""
        return

    async def dismiss_downtime(self) -> None:
        self._refuse()

    async def why(self, task_id: int, *, at: datetime | None = None) -> Explanation:
        return await self._reader.why(task_id, at, engine_runs=False)

    def events(self, *, after: str | None = None) -> AsyncIterator[Event]:
        self._refuse()

    async def create_task(self, spec: dict[str, Any]) -> Any:
        self._refuse()

    async def change_task(
        self, task_id: int, changes: dict[str, Any], *, if_version: int | None = None
    ) -> Any:
        self._refuse()

    async def delete_task(self, task_id: int, *, if_version: int | None = None) -> Any:
        self._refuse()

    async def undo(
        self, task_id: int, *, revision_id: int | None = None, if_version: int | None = None
    ) -> Any:
        self._refuse()

    async def test_task(
        self,
        task_id: int,
        *,
        spec: dict[str, Any] | None = None,
        as_scheduled: bool = False,
        request_id: str,
        if_version: int | None = None,
    ) -> Any:
        self._refuse()

    async def run_now(self, task_id: int, *, request_id: str, if_version: int | None = None) -> Any:
        self._refuse()

    async def stop_run(self, run_id: int, *, signal: str = "TERM") -> Any:
        self._refuse()

    async def pause_task(
        self,
        task_id: int,
        *,
        until: datetime | None = None,
        run_after: bool = False,
        if_version: int | None = None,
    ) -> Any:
        self._refuse()

    async def resume_task(self, task_id: int, *, if_version: int | None = None) -> Any:
        self._refuse()

    async def pause_scheduler(self, *, until: datetime | None = None) -> Any:
        self._refuse()

    async def resume_scheduler(self) -> Any:
        self._refuse()

    async def reload(self) -> Any:
        self._refuse()

    async def acknowledge(self, incident_id: int, *, note: str = "") -> Any:
        self._refuse()

    async def snooze(self, incident_id: int, *, until: datetime | None) -> Any:
        self._refuse()

    async def test_notification(self, *, to: str | None = None) -> Any:
        self._refuse()

    async def backup(self, path: str) -> Any:
        self._refuse()

    async def shutdown(self, *, with_tasks: bool = False) -> None:
        self._refuse()

    async def add_user(self, name: str, *, role: Role, password: str) -> Any:
        self._refuse()

    async def change_user(
        self, name: str, *, role: Role | None = None, password: str | None = None
    ) -> Any:
        self._refuse()

    async def remove_user(self, name: str) -> Any:
        self._refuse()

    async def close(self) -> None:
        self._database.close()

    def _refuse(self) -> NoReturn:
        raise NoEngine(str(self._state_dir))


def _no_engine(_connection: Connection) -> Congestion:
    return Congestion(max_workers=1, linked=False)
