"""Routes that are looked into when somebody comes to their router."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import routing
from fastapi.routing import APIRoute


class LateRoute(APIRoute):
    """A route that only notes how it was declared.

    FastAPI reads the signature of each handler twice: when the route is declared, and again when
    the first request comes to the router that an app has included. Only what it finds the second
    time is used; the first is a twentieth of a start. So such a route answers in an app that has
    included its router, and nowhere else.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **declared: Any) -> None:
        if not hasattr(routing, "_EffectiveRouteContext"):  # a FastAPI that reads them only here
            super().__init__(path, endpoint, **declared)
            return
        self.form_limits, self.stream_item_type = {}, None
        vars(self).update(declared, path=path, endpoint=endpoint)
