"""Which front end asks: the first half of an actor such as `tui:1000`."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final, Literal

HEADER: Final = "x-cronpilot-front"

Front = Literal["tui", "cli", "api", "local"]

FRONT: ContextVar[Front] = ContextVar("front", default="local")
"""Set while an engine answers a question; `local` where no front end stands between."""


def front_named(name: str | None) -> Front:
    """The front end that a request's header names; without one somebody speaks HTTP by hand."""
    match name:
        case "tui" | "cli":
            return name
        case _:
            return "api"
