"""How HttpClient asks: greeting, requests, streams, and what goes wrong with them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from cronpilot import __version__
from cronpilot.client import plain_http
from cronpilot.client.actor import HEADER, Front
from cronpilot.client.http_text import API
from cronpilot.client.messages import TaskView
from cronpilot.client.problems import MEDIA_TYPE, from_problem
from cronpilot.client.reach import NetworkReach, Reach, load_httpx
from cronpilot.client.streams import SILENCE_S
from cronpilot.errors import CronPilotError, Refused, UsageProblem

if TYPE_CHECKING:
    import httpx

_ANSWER_S = 60.0  # an ordinary question; a backup of a large database has no limit
_CONNECT_S = 5.0
_PATIENCE_S = 5.0  # a question that came too soon is asked again when the wait is no longer

M = TypeVar("M", bound=BaseModel)


@lru_cache
def _list_of(kind: type[M]) -> TypeAdapter[list[M]]:
    """What reads a list of these. Kept: of tasks it takes ten times as long to make as to use."""
    return TypeAdapter(list[kind])  # type: ignore[valid-type]


class Answer(Protocol):
    """What we read of an answer, however it came."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def content(self) -> bytes: ...

    def json(self) -> Any: ...


class HttpConnection:
    """Asks one engine. It connects at the first question, and again after the engine has come back.
    It belongs to the event loop in which it was first used."""

    def __init__(self, reach: Reach, front: Front) -> None:
        self._reach, self._front = reach, front
        self._http: httpx.AsyncClient | None = None
        self._greeted = False
        self._greeting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up; harmless when done twice."""
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()
        self._reach.close()

    # --- questions -------------------------------------------------------------------------------

    async def _read(self, kind: type[M], path: str, params: dict[str, Any] | None = None) -> M:
        answer = await self._ask("GET", path, params=params)
        with self._expecting_engine():
            return kind.model_validate_json(answer.content)

    async def _change(
        self,
        kind: type[M],
        path: str,
        body: dict[str, Any] | None = None,
        if_version: int | None = None,
        *,
        method: str = "POST",
    ) -> M:
        answer = await self._ask(method, path, headers=_if_match(if_version), json=body)
        with self._expecting_engine():
            return kind.model_validate_json(answer.content)

    async def _edit(
        self, method: str, path: str, if_version: int | None, body: dict[str, Any] | None = None
    ) -> TaskView:
        return await self._change(TaskView, path, body, if_version, method=method)

    async def _rows(self, kind: type[M], path: str, params: dict[str, Any]) -> tuple[list[M], int]:
        answer = await self._ask("GET", path, params=params)
        with self._expecting_engine():
            rows = _list_of(kind).validate_json(answer.content)
            return rows, int(answer.headers.get("x-total-count", -1))

    async def _ask(self, method: str, path: str, **parts: Any) -> Answer:
        await self._greet()
        return await self._send(method, path, **parts)

    async def _send(self, method: str, path: str, **parts: Any) -> Answer:
        while True:
            with self._reaching_engine():
                answer = await self._answer(method, path, **parts)
            wait_s = _asked_to_wait(answer)
            if wait_s is None:
                break
            await asyncio.sleep(wait_s)
        if answer.status_code >= 400:
            self._raise(answer)
        return answer

    async def _answer(self, method: str, path: str, **parts: Any) -> Answer:
        """On this machine without httpx: see `plain_http`."""
        socket = self._reach.socket()
        if socket is None:
            answer = await self._connection().request(method, path, **parts)
            _untie(answer)
            return answer
        return await plain_http.ask(
            socket, method, path, params=parts.get("params"), body=parts.get("json"),
            headers=self._headers() | (parts.get("headers") or {}),
            connect_s=_CONNECT_S, answer_s=parts.get("timeout", _ANSWER_S),
        )  # fmt: skip

    # --- the connection --------------------------------------------------------------------------

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
                f"The engine on {self._reach.where} is CronPilot {version} and speaks API {theirs};"
                f" this is CronPilot {__version__}, which speaks API {API}.",
                "Use the same version on both sides.",
            )

    def _connection(self) -> httpx.AsyncClient:
        if self._http is None:
            assert isinstance(self._reach, NetworkReach)  # only the network has no socket
            httpx = load_httpx()
            self._http = httpx.AsyncClient(
                trust_env=False, timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
                headers=self._headers(), **self._reach.open(),
            )  # fmt: skip
        return self._http

    def _headers(self) -> dict[str, str]:
        said = {"user-agent": f"cronpilot/{__version__}", HEADER: self._front}
        return said | self._reach.headers

    @asynccontextmanager
    async def _stream(
        self, path: str, params: dict[str, Any]
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        await self._greet()
        async with AsyncExitStack() as until_closed:
            with self._reaching_engine():
                answer = await until_closed.enter_async_context(self._opened(path, params))
                refusal = await answer.whole() if answer.status_code >= 400 else None
            if refusal is not None:
                self._raise(refusal)
            with self._expecting_engine():
                yield self._watched(answer)

    def _opened(
        self, path: str, params: dict[str, Any]
    ) -> AbstractAsyncContextManager[plain_http.Stream | _HttpxStream]:
        socket = self._reach.socket()
        if socket is None:
            return _httpx_stream(self._connection(), path, params)
        return plain_http.stream(
            socket, path, headers=self._headers(), params=params,
            connect_s=_CONNECT_S, answer_s=_ANSWER_S,
        )  # fmt: skip

    async def _watched(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The bytes as they come; longer silence than a heartbeat's means that nobody is there."""
        while True:
            try:
                with self._reaching_engine():
                    async with asyncio.timeout(SILENCE_S):
                        piece = await anext(pieces)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise self._gone() from error
            yield piece

    # --- what goes wrong -------------------------------------------------------------------------

    def _gone(self) -> CronPilotError:
        """The engine was there, and is not any more."""
        return self._reach.failure(ConnectionError())

    def _raise(self, answer: Answer) -> NoReturn:
        if answer.headers.get("content-type", "").startswith(MEDIA_TYPE):
            with self._expecting_engine():
                raise from_problem(answer.json())
        raise CronPilotError(
            f"What listens at {self._reach.listens} answered {answer.status_code}: it is no engine."
        )

    @contextmanager
    def _reaching_engine(self) -> Iterator[None]:
        """Say in our words that the connection failed."""
        try:
            yield
        except UnicodeEncodeError as error:  # a word of the command line that was no UTF-8
            raise UsageProblem(f"{error.object!r} is not UTF-8 text.") from error
        except _of_httpx("ConnectTimeout") as error:
            raise self._gone() from error
        except _of_httpx("TimeoutException", plain_http.Silent) as error:
            raise self._reach.silence() from error
        except _of_httpx("TransportError", plain_http.Unreachable) as error:
            self._greeted = False  # whoever listens there next may be another version
            raise self._reach.failure(error) from error

    @contextmanager
    def _expecting_engine(self) -> Iterator[None]:
        """What cannot be read was not said by an engine."""
        try:
            yield
        except (ValidationError, json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, CronPilotError):  # InvalidSchedule is a ValueError, too
                raise
            raise CronPilotError(
                f"What listens at {self._reach.listens} gave an answer that cannot be read.",
                "Is it an engine, and of this version?",
            ) from error


class _HttpxStream:
    """`plain_http.Stream` over the network."""

    def __init__(self, answer: httpx.Response) -> None:
        self.status_code = answer.status_code
        self._answer, self._pieces = answer, answer.aiter_raw()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._pieces)

    async def whole(self) -> Answer:
        await self._answer.aread()
        return self._answer


@asynccontextmanager
async def _httpx_stream(
    http: httpx.AsyncClient, path: str, params: dict[str, Any]
) -> AsyncIterator[_HttpxStream]:
    request = http.build_request("GET", path, params=params)
    request.extensions["timeout"]["read"] = None  # `_watched` takes care of silence
    answer = await http.send(request, stream=True)
    try:
        yield _HttpxStream(answer)
    finally:
        await answer.aclose()


def given(query: BaseModel) -> dict[str, Any]:
    """The fields that differ from their defaults, as query parameters."""
    return query.model_dump(mode="json", exclude_defaults=True)


def _if_match(version: int | None) -> dict[str, str]:
    return {} if version is None else {"If-Match": f'"{version}"'}


def _of_httpx(name: str, *others: type[Exception]) -> tuple[type[Exception], ...]:
    """That exception, which there is only when somebody has asked through httpx; and others."""
    httpx = sys.modules.get("httpx")
    return others if httpx is None else (getattr(httpx, name), *others)


def _untie(answer: httpx.Response) -> None:
    """Let it go when nobody needs it any more: it holds its stream, which holds it, so that some
    hundred pieces of a log would lie about until somebody looks for unused objects."""
    del answer.stream


def _asked_to_wait(answer: Answer) -> float | None:
    """How long to wait before the same question is asked again; None: not at all.

    Refused for its pace alone, nothing of it was done. A log-in that is slowed down is told to
    whoever typed the password.
    """
    if answer.status_code != 429 or not answer.headers.get("content-type", "").startswith(
        MEDIA_TYPE
    ):
        return None
    try:
        wait_s = float(answer.headers.get("retry-after", "x"))
    except ValueError:
        return None
    return wait_s if 0 < wait_s <= _PATIENCE_S else None
