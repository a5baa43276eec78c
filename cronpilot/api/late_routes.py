"""Routes whose handlers are looked into when the first request comes for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope


class LateRoute(APIRoute):
    """A route that knows what it was told, and finds out the rest when it is asked for that.

    FastAPI reads the signature of each handler when its route is declared, and those of all
    included routers before ours again when the first request comes. With 56 routes the first was a
    twentieth of a start, and the second an eighth of a second before the screen had its rows. So
    our routes are not included, but put into the app itself, by `put_into`.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **declared: Any) -> None:
        self.path, self.endpoint = path, endpoint
        self._declared, self._is_read = declared, False
        self._words = path.split("/")

    def __getattr__(self, name: str) -> Any:
        """What nobody has said: only the first time, then all of it is there."""
        if vars(self).get("_is_read", True):
            raise AttributeError(name)
        self._is_read = True
        super().__init__(self.path, self.endpoint, **self._declared)
        return getattr(self, name)

    def within(self, app: FastAPI) -> LateRoute:
        """The same route with what the app gives to all of its own."""
        declared = dict(self._declared, dependency_overrides_provider=app)
        declared["dependencies"] = [*app.router.dependencies, *declared["dependencies"]]
        declared["responses"] = {**app.router.responses, **declared["responses"]}
        return LateRoute(self.path, self.endpoint, **declared)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        return super().matches(scope) if self._is_like(path) else (Match.NONE, {})

    def _is_like(self, path: str) -> bool:
        """Whether a path differs from ours in the parameters at most."""
        words = path.split("/")
        if len(words) != len(self._words) and not self.path.endswith(":path}"):
            return False
        return all(
            ours == word or ours.startswith("{")
            for ours, word in zip(self._words, words, strict=False)
        )


def put_into(app: FastAPI, router: APIRouter) -> Iterator[str]:
    """Let the app answer all routes of the router; their paths."""
    for route in router.routes:
        if not isinstance(route, LateRoute):
            raise TypeError(f"{route} needs route_class=LateRoute in its router")
        app.router.routes.append(route.within(app))
        yield route.path
