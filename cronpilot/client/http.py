"""The client over HTTP: to the engine's unix socket, or to the port of another machine's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cronpilot.client.actor import Front
from cronpilot.client.http_agenda import HttpAgenda
from cronpilot.client.http_connection import given
from cronpilot.client.http_incidents import HttpIncidents
from cronpilot.client.http_live import HttpLive
from cronpilot.client.http_logs import HttpLogs
from cronpilot.client.http_quiet import HttpQuiet
from cronpilot.client.http_users import HttpUsers
from cronpilot.client.messages import (
    AttemptView,
    EngineStatus,
    Event,
    Explanation,
    FileDifference,
    FireTime,
    Health,
    LogChunk,
    ReloadResult,
    RevisionView,
    RunPage,
    RunQuery,
    RunView,
    TaskPage,
    TaskQuery,
    TaskView,
)
from cronpilot.client.protocol import StopSignal
from cronpilot.client.reach import NetworkReach, SocketReach
from cronpilot.client.streams import unpack_chunks, unpack_events

if TYPE_CHECKING:
    from datetime import datetime


class HttpClient(HttpUsers, HttpLogs, HttpAgenda, HttpQuiet, HttpLive, HttpIncidents):
    """`Client` over a unix socket, or over the network.

    It connects at the first question, and again after the engine has come back. It belongs to the
    event loop in which it was first used.
    """

    @classmethod
    def over_socket(
        cls, path: Path, *, front: Front = "cli", token: str | None = None
    ) -> HttpClient:
        """The engine that listens at that path. Nothing is opened yet.

        Args:
            front: who asks.
            token: ask as the browser's user for whom it was made, not as the socket's owner.
        """
        return cls(SocketReach(path, token), front)

    @classmethod
    def at(
        cls,
        address: str,
        *,
        front: Front = "cli",
        user: str | None = None,
        password: str = "",
        ca_file: Path | None = None,
    ) -> HttpClient:
        """The engine at `https://user@host:port`, at a unix socket's path or at `unix:///path`.

        Args:
            user: default: the one in the address, else `admin`. Of no use for a socket.
            ca_file: certificates to trust instead of the machine's.
        Raises:
            UsageProblem: any other kind of address.
        """
        if "://" in address and not address.startswith("unix://"):
            reach = NetworkReach(address, user=user, password=password, ca_file=ca_file)
            return cls(reach, front)
        path = Path(address.removeprefix("unix://")).expanduser().absolute()
        return cls(SocketReach(path), front)

    # --- questions -------------------------------------------------------------------------------

    async def status(self) -> EngineStatus:
        return await self._read(EngineStatus, "/api/status")

    async def health(self) -> Health:
        return await self._read(Health, "/api/health")

    async def tasks(self, query: TaskQuery) -> TaskPage:
        rows, total = await self._rows(TaskView, "/api/tasks/", given(query))
        return TaskPage(rows=rows, total=total)

    async def task(self, task_id: int) -> TaskView:
        return await self._read(TaskView, f"/api/tasks/{task_id}")

    async def find_task(self, name: str, *, archived: bool = False) -> TaskView:
        params = {"name": name, **({"archived": True} if archived else {})}
        return await self._read(TaskView, "/api/tasks/find", params)

    async def fire_times(self, *, task_id: int | None = None, limit: int = 20) -> list[FireTime]:
        of_one = f"/api/tasks/{task_id}/fire-times"
        path = "/api/fire-times" if task_id is None else of_one
        rows, _ = await self._rows(FireTime, path, {"limit": limit})
        return rows

    async def why(self, task_id: int, *, at: datetime | None = None) -> Explanation:
        asked = None if at is None else {"at": at.isoformat()}
        return await self._read(Explanation, f"/api/tasks/{task_id}/why", asked)

    async def runs(self, query: RunQuery) -> RunPage:
        rows, total = await self._rows(RunView, "/api/runs/", given(query))
        return RunPage(rows=rows, total=total)

    async def run(self, run_id: int) -> RunView:
        return await self._read(RunView, f"/api/runs/{run_id}")

    async def attempts(self, run_id: int) -> list[AttemptView]:
        rows, _ = await self._rows(AttemptView, f"/api/runs/{run_id}/attempts", {})
        return rows

    async def revisions(self, task_id: int, *, limit: int = 50) -> list[RevisionView]:
        rows, _ = await self._rows(
            RevisionView, f"/api/tasks/{task_id}/revisions", {"limit": limit}
        )  # fmt: skip
        return rows

    async def export(self) -> str:
        return (await self._ask("GET", "/api/export")).content.decode()

    async def differences(self) -> list[FileDifference]:
        rows, _ = await self._rows(FileDifference, "/api/differences", {})
        return rows

    async def read_log(self, run_id: int, *, offset: int = 0, limit: int = 1 << 18) -> LogChunk:
        answer = await self._ask(
            "GET", f"/api/runs/{run_id}/log", params={"offset": offset, "limit": limit}
        )
        with self._expecting_engine():
            return LogChunk(
                run_id=run_id,
                offset=int(answer.headers["x-log-offset"]),
                end=int(answer.headers["x-log-end"]),
                size=int(answer.headers["x-log-size"]),
                ended=answer.headers["x-log-ended"] == "true",
                data=answer.content,
            )

    async def follow_log(self, run_id: int, *, offset: int = 0) -> AsyncIterator[LogChunk]:
        path = f"/api/runs/{run_id}/log"
        async with (
            self._stream(path, {"offset": offset, "follow": 1}) as pieces,
            aclosing(unpack_chunks(run_id, pieces)) as chunks,
        ):
            async for chunk in chunks:
                yield chunk
                if chunk.ended:
                    return
        raise self._gone()

    async def events(self, *, after: str | None = None) -> AsyncIterator[Event]:
        async with (
            self._stream("/api/events", {} if after is None else {"after": after}) as pieces,
            aclosing(unpack_events(pieces)) as events,
        ):
            async for event in events:
                yield event
        raise self._gone()

    # --- changes ---------------------------------------------------------------------------------

    async def run_now(
        self, task_id: int, *, request_id: str, if_version: int | None = None
    ) -> RunView:
        body = {"request_id": request_id}
        return await self._change(RunView, f"/api/tasks/{task_id}/run", body, if_version)

    async def test_task(
        self,
        task_id: int,
        *,
        spec: dict[str, Any] | None = None,
        as_scheduled: bool = False,
        request_id: str,
        if_version: int | None = None,
    ) -> RunView:
        body = {"spec": spec, "as_scheduled": as_scheduled, "request_id": request_id}
        return await self._change(RunView, f"/api/tasks/{task_id}/test", body, if_version)

    async def stop_run(self, run_id: int, *, signal: StopSignal = "TERM") -> RunView:
        return await self._change(RunView, f"/api/runs/{run_id}/stop", {"signal": signal})

    async def pause_task(
        self,
        task_id: int,
        *,
        until: datetime | None = None,
        run_after: bool = False,
        if_version: int | None = None,
    ) -> TaskView:
        body: dict[str, Any] = {} if until is None else {"until": until.isoformat()}
        body |= {"run_after": True} if run_after else {}
        path = f"/api/tasks/{task_id}/pause"
        return await self._change(TaskView, path, body or None, if_version)

    async def resume_task(self, task_id: int, *, if_version: int | None = None) -> TaskView:
        path = f"/api/tasks/{task_id}/resume"
        return await self._change(TaskView, path, if_version=if_version)

    async def create_task(self, spec: dict[str, Any]) -> TaskView:
        return await self._change(TaskView, "/api/tasks/", spec)

    async def change_task(
        self, task_id: int, changes: dict[str, Any], *, if_version: int | None = None
    ) -> TaskView:
        return await self._edit("PATCH", f"/api/tasks/{task_id}", if_version, changes)

    async def delete_task(self, task_id: int, *, if_version: int | None = None) -> TaskView:
        return await self._edit("DELETE", f"/api/tasks/{task_id}", if_version)

    async def undo(
        self, task_id: int, *, revision_id: int | None = None, if_version: int | None = None
    ) -> TaskView:
        body = {"revision_id": revision_id}
        return await self._edit("POST", f"/api/tasks/{task_id}/undo", if_version, body)

    async def pause_scheduler(self, *, until: datetime | None = None) -> EngineStatus:
        body = None if until is None else {"until": until.isoformat()}
        return await self._change(EngineStatus, "/api/scheduler/pause", body)

    async def resume_scheduler(self) -> EngineStatus:
        return await self._change(EngineStatus, "/api/scheduler/resume")

    async def reload(self) -> ReloadResult:
        return await self._change(ReloadResult, "/api/reload")

    async def backup(self, path: str) -> str:
        answer = await self._ask("POST", "/api/backup", json={"path": path}, timeout=None)
        with self._expecting_engine():
            return str(answer.json()["path"])

    async def shutdown(self, *, with_tasks: bool = False) -> None:
        await self._ask("POST", "/api/shutdown", json={"with_tasks": with_tasks})
