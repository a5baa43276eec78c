"""Which parameters of a query a route reads. Others are refused: `?stauts=failed` filters nothing,
and the answer would look as if it did."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from fastapi import Request, Response, params
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel


async def only_known(request: Request) -> None:
    """Raises RequestValidationError for a parameter that the route does not read."""
    path = request.url.path
    if not request.query_params or not path.startswith("/api/"):
        return
    known = parameters_of(request.scope["route"].endpoint)
    for name in request.query_params:
        if name not in known:
            from cronpilot.config.wording import unknown_key

            hint = unknown_key(name, known)[1] if known else "It takes none."
            said = {"msg": f"{path} has no such parameter", "loc": ("query", name), "hint": hint}
            raise RequestValidationError([said])


@cache
def parameters_of(endpoint: Callable[..., Any]) -> frozenset[str]:
    """The names that a handler takes from the query, as FastAPI reads its signature."""
    hints = get_type_hints(endpoint, include_extras=True)
    return frozenset(
        name
        for parameter in inspect.signature(endpoint).parameters
        for name in _names(parameter, hints[parameter])
    )


def _names(parameter: str, hint: Any) -> Iterator[str]:
    kind, *about = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    said = next((one for one in about if isinstance(one, _SAID)), None)
    if said is None and not any(_is_no_value(one) for one in (kind, *get_args(kind))):
        yield parameter
    elif isinstance(said, params.Query):
        model = isinstance(kind, type) and issubclass(kind, BaseModel)
        yield from kind.model_fields if model else [said.alias or parameter]


_SAID = (params.Param, params.Body, params.Depends)  # where a value comes from, in its annotation


def _is_no_value(kind: Any) -> bool:
    """Not of a query: a body, or a part of the framework."""
    return isinstance(kind, type) and issubclass(kind, (BaseModel, dict, Request, Response))
