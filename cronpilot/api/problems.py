"""Whatever goes wrong is answered as problem+json (RFC 9457), in words for people."""

from __future__ import annotations

import logging
import math
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from cronpilot.client.problems import MEDIA_TYPE, to_problem
from cronpilot.errors import (
    ConfigError,
    CronPilotError,
    KeeperProblem,
    LogInRefused,
    NoEngine,
    NotAllowed,
    NotFound,
    Refused,
    StateDirectoryBusy,
    StorageProblem,
    TooManyRequests,
    UsageProblem,
)

_log = logging.getLogger(__name__)

# The first that fits; a subclass stands before its base.
_STATUS: list[tuple[type[CronPilotError], int]] = [
    (NotFound, 404),
    (UsageProblem, 400),
    (ConfigError, 422),
    (LogInRefused, 401),
    (NotAllowed, 403),
    (TooManyRequests, 429),
    (Refused, 409),
    (NoEngine, 503),
    (StateDirectoryBusy, 503),
    (StorageProblem, 503),
    (KeeperProblem, 503),
    (CronPilotError, 500),
]


class Problem(BaseModel):
    """What went wrong (RFC 9457), in words for people."""

    type: str
    title: str
    status: int
    detail: str  # the problem, in one sentence
    hint: str  # what to do about it
    field: str | None  # of what was sent, where one is wrong
    kind: str  # the name of the error's class


ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    status: {
        "description": said,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status, said in {
        400: "It makes no sense as it was said.",
        401: "A user name and a password are needed.",
        403: "The role does not allow it, or the way it was asked.",
        404: "There is no such thing.",
        409: "The state of things forbids it now.",
        413: "The body is too large.",
        422: "A value cannot be used.",
        429: "Too many questions a second, or too many failed log-ins.",
        503: "The database, the keeper or the engine cannot do it now.",
    }.items()
}
"""What every route may answer when something is wrong."""


def install(app: FastAPI) -> None:
    """Teach the app our errors, and our words for its own."""
    app.add_exception_handler(CronPilotError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(OverflowError, _beyond)
    app.add_exception_handler(Exception, _bug)


def _answer(error: CronPilotError, status: int) -> JSONResponse:
    return JSONResponse(to_problem(error, status), status, media_type=MEDIA_TYPE)


async def _ours(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CronPilotError)
    return answer_of(error)


def answer_of(error: CronPilotError) -> JSONResponse:
    """What such an error is answered with."""
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    answer = _answer(error, status)
    if isinstance(error, LogInRefused):
        answer.headers["WWW-Authenticate"] = 'Basic realm="CronPilot", charset="UTF-8"'
    if isinstance(error, TooManyRequests):
        answer.headers["Retry-After"] = str(max(1, math.ceil(error.wait_s)))
    return answer


async def refuse(
    error: CronPilotError,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    status: int | None = None,
) -> None:
    """Answer before the app is asked."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
        return
    answer = answer_of(error) if status is None else _answer(error, status)
    await answer(scope, receive, send)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """The first thing that is wrong with what was sent; `field` says where it stands."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    # loc is (query | path | body | header, name ...)
    field = ".".join(str(part) for part in first["loc"][1:])
    said = f"{field}: {first['msg']}." if field else f"{first['msg']}."
    problem = UsageProblem(said, first.get("hint", ""))
    problem.field = field or None
    return _answer(problem, 422)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    wrong = UsageProblem(
        f"{request.method} {request.url.path}: {error.detail}.", "All routes: /openapi.json"
    )
    answer = _answer(wrong, error.status_code)
    answer.headers.update(error.headers or {})  # Allow, with 405
    return answer


async def _beyond(request: Request, error: Exception) -> JSONResponse:
    """Arithmetic with instants of the year 1 or 9999, numbers that no database holds."""
    _log.warning("%s %s: %s", request.method, request.url.path, error)
    wrong = UsageProblem("A time or a number is beyond what can be used.", "Take a nearer one.")
    return _answer(wrong, 422)


async def _bug(request: Request, error: Exception) -> JSONResponse:
    # Starlette raises it again after this answer, and the server logs it with its traceback.
    _log.error("%s %s failed", request.method, request.url.path)
    return _answer(
        CronPilotError(
            f"The engine failed: {type(error).__name__}.",
            "Its log says where: engine.log, or its standard error when headless.",
        ),
        500,
    )
