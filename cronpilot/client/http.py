"""The client over HTTP: to the engine's unix socket (later to another machine's port as well)."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from cronpilot import __version__
from cronpilot.client.actor import HEADER, Front
from cronpilot.client.http_agenda import HttpAgenda
from cronpilot.client.http_logs import HttpLogs
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
from cronpilot.client.problems import MEDIA_TYPE, from_problem
from cronpilot.client.protocol import StopSignal
from cronpilot.client.sockets import SocketPath
from cronpilot.client.streams import SILENCE_S, unpack_chunks, unpack_events
from cronpilot.errors import CronPilotError, NoEngine, Refused, UsageProblem

if TYPE_CHECKING:
    from datetime import datetime

    import httpx

API = 1  # the major version of the API; another one is refused
_ANSWER_S = 60.0  # an ordinary question; a backup of a large database has no limit

M = TypeVar("M", bound=BaseModel)


class HttpClient(HttpLogs, HttpAgenda):
    """`Client` over a unix socket.

    It connects at the first question, and again after the engine has come back. It belongs to the
    event loop in which it was first used.
    """

    def __init__(self, socket: Path, front: Front = "cli") -> None:
        self._socket, self._front = socket, front
        self._where = str(socket.parent)
        self._path: SocketPath | None = None
        self._http: httpx.AsyncClient | None = None
        self._greeted = False
        self._greeting = asyncio.Lock()

    @classmethod
    def over_socket(cls, path: Path, *, front: Front = "cli") -> HttpClient:
        """The engine that listens at that path. Nothing is opened yet. `front` says who asks."""
        return cls(path, front)

    @classmethod
    def at(cls, address: str, *, front: Front = "cli") -> HttpClient:
        """The engine at a unix socket's path or `unix:///path`.

        Raises:
            UsageProblem: any other kind of address.
        """
        if address.startswith("unix://"):
            address = address.removeprefix("unix://")
        elif "://" in address:
            raise UsageProblem(
                f"{address!r} cannot be reached yet: connecting over the network comes with a later"
                " version.",
                "Log in to that machine by SSH, or give the path of a unix socket.",
            )
        return cls(Path(address).expanduser().absolute(), front)

    async def close(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()
        if self._path is not None:
            self._path.close()

    # --- questions -------------------------------------------------------------------------------

    async def status(self) -> EngineStatus:
        return await self._read(EngineStatus, "/api/status")

    async def health(self) -> Health:
        return await self._read(Health, "/api/health")

    async def tasks(self, query: TaskQuery) -> TaskPage:
        rows, total = await self._rows(TaskView, "/api/tasks/", _given(query))
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
        rows, total = await self._rows(RunView, "/api/runs/", _given(query))
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
        raise NoEngine(self._where)

    async def events(self, *, after: str | None = None) -> AsyncIterator[Event]:
        async with (
            self._stream("/api/events", {} if after is None else {"after": after}) as pieces,
            aclosing(unpack_events(pieces)) as events,
        ):
            async for event in events:
                yield event
        raise NoEngine(self._where)

    # --- changes ---------------------------------------------------------------------------------

    async def run_now(self, task_id: int, *, request_id: str) -> RunView:
        return await self._change(RunView, f"/api/tasks/{task_id}/run", {"request_id": request_id})

    async def test_task(
        self,
        task_id: int,
        *,
        spec: dict[str, Any] | None = None,
        as_scheduled: bool = False,
        request_id: str,
    ) -> RunView:
        body = {"spec": spec, "as_scheduled": as_scheduled, "request_id": request_id}
        return await self._change(RunView, f"/api/tasks/{task_id}/test", body)

    async def stop_run(self, run_id: int, *, signal: StopSignal = "TERM") -> RunView:
        return await self._change(RunView, f"/api/runs/{run_id}/stop", {"signal": signal})

    async def pause_task(self, task_id: int, *, until: datetime | None = None) -> TaskView:
        body = None if until is None else {"until": until.isoformat()}
        return await self._change(TaskView, f"/api/tasks/{task_id}/pause", body)

    async def resume_task(self, task_id: int) -> TaskView:
        return await self._change(TaskView, f"/api/tasks/{task_id}/resume")

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

    # --- how it is done --------------------------------------------------------------------------

    async def _read(self, kind: type[M], path: str, params: dict[str, Any] | None = None) -> M:
        answer = await self._ask("GET", path, params=params)
        with self._expecting_engine():
            return kind.model_validate_json(answer.content)

    async def _change(self, kind: type[M], path: str, body: dict[str, Any] | None = None) -> M:
        answer = await self._ask("POST", path, json=body)
        with self._expecting_engine():
            return kind.model_validate_json(answer.content)

    async def _edit(
        self, method: str, path: str, if_version: int | None, body: dict[str, Any] | None = None
    ) -> TaskView:
        headers = {} if if_version is None else {"If-Match": f'"{if_version}"'}
        answer = await self._ask(method, path, headers=headers, json=body)
        with self._expecting_engine():
            return TaskView.model_validate_json(answer.content)

    async def _rows(self, kind: type[M], path: str, params: dict[str, Any]) -> tuple[list[M], int]:
        answer = await self._ask("GET", path, params=params)
        with self._expecting_engine():
            rows = TypeAdapter(list[kind]).validate_json(answer.content)  # type: ignore[valid-type]
            return rows, int(answer.headers.get("x-total-count", -1))

    async def _ask(self, method: str, path: str, **parts: Any) -> httpx.Response:
        await self._greet()
        return await self._send(method, path, **parts)

    async def _send(self, method: str, path: str, **parts: Any) -> httpx.Response:
        with self._reaching_engine():
            answer = await self._connection().request(method, path, **parts)
        if answer.status_code >= 400:
            self._raise(answer)
        return answer

    async def _greet(self) -> None:
        """Make sure, once a connection, that the other side speaks our language."""
        async with self._greeting:
            if not self._greeted:
                await self._shake_hands()
                self._greeted = True

    async def _shake_hands(self) -> None:
        answer = await self._send("GET", "/api/meta")
        with self._expecting_engine():
            meta = answer.json()
            theirs, version = int(meta["api"]), str(meta["version"])
        if theirs != API:
            raise Refused(
                f"The engine on {self._where} is CronPilot {version} and speaks API {theirs};"
                f" this is CronPilot {__version__}, which speaks API {API}.",
                "Use the same version on both sides.",
            )

    def _connection(self) -> httpx.AsyncClient:
        httpx = _load_httpx()
        if self._http is None:
            try:
                self._path = SocketPath(self._socket)
            except OSError as error:
                raise NoEngine(self._where) from error
            self._http = httpx.AsyncClient(
                transport=httpx.AsyncHTTPTransport(
                    uds=self._path.text,
                    verify=False,  # no TLS on a unix socket; reading the certificates takes 50 ms
                    trust_env=False,
                    limits=httpx.Limits(max_connections=None, max_keepalive_connections=8),
                ),
                base_url="http://cronpilot",
                trust_env=False,
                timeout=httpx.Timeout(_ANSWER_S, connect=5),
                headers={"user-agent": f"cronpilot/{__version__}", HEADER: self._front},
            )
        return self._http

    @asynccontextmanager
    async def _stream(
        self, path: str, params: dict[str, Any]
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        await self._greet()
        http = self._connection()
        with self._reaching_engine():
            request = http.build_request("GET", path, params=params)
            request.extensions["timeout"]["read"] = None  # `_watched` takes care of silence
            answer = await http.send(request, stream=True)
        try:
            if answer.status_code >= 400:
                with self._reaching_engine():
                    await answer.aread()
                self._raise(answer)
            with self._expecting_engine():
                yield self._watched(answer)
        finally:
            await answer.aclose()

    async def _watched(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        """The bytes as they come; longer silence than a heartbeat's means that nobody is there."""
        pieces = answer.aiter_raw()
        while True:
            try:
                with self._reaching_engine():
                    async with asyncio.timeout(SILENCE_S):
                        piece = await anext(pieces)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise NoEngine(self._where) from error
            yield piece

    def _raise(self, answer: httpx.Response) -> NoReturn:
        if answer.headers.get("content-type", "").startswith(MEDIA_TYPE):
            with self._expecting_engine():
                raise from_problem(answer.json())
        raise CronPilotError(
            f"What listens at {self._socket} answered {answer.status_code}: it is no engine."
        )

    @contextmanager
    def _reaching_engine(self) -> Iterator[None]:
        """Say in our words that the connection failed."""
        httpx = _load_httpx()
        try:
            yield
        except UnicodeEncodeError as error:  # a word of the command line that was no UTF-8
            raise UsageProblem(f"{error.object!r} is not UTF-8 text.") from error
        except httpx.TimeoutException as error:
            raise CronPilotError(
                f"The engine on {self._where} does not answer.",
                f"Its log: {self._where}/engine.log",
            ) from error
        except httpx.TransportError as error:
            self._greeted = False  # whoever listens there next may be another version
            if _caused_by(error, PermissionError):
                raise Refused(
                    f"The engine on {self._where} belongs to another user.",
                    "Become that user first, for example with sudo -u.",
                ) from error
            raise NoEngine(self._where) from error

    @contextmanager
    def _expecting_engine(self) -> Iterator[None]:
        """What cannot be read was not said by an engine."""
        try:
            yield
        except (ValidationError, json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, CronPilotError):  # InvalidSchedule is a ValueError, too
                raise
            raise CronPilotError(
                f"What listens at {self._socket} gave an answer that cannot be read.",
                "Is it an engine, and of this version?",
            ) from error


def _load_httpx() -> ModuleType:
    """httpx, when it is needed: half the time of a short command.

    It would load rich, click and pygments for a command line of its own, which we do not use and
    which would take as long again. It does without where that module cannot be imported.
    """
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    import httpx

    return httpx


def _given(query: TaskQuery | RunQuery) -> dict[str, Any]:
    """The fields that differ from their defaults, as query parameters."""
    return query.model_dump(mode="json", exclude_defaults=True)


def _caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__cause__ or error.__context__
    return False
