"""Who asks: the front end and the user, joined to an actor such as `tui:1000` or `api:anna`."""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import Final, Literal

HEADER: Final = "x-cronpilot-front"

Front = Literal["tui", "cli", "api", "web", "local"]

FRONT: ContextVar[Front] = ContextVar("front", default="local")
"""Set while an engine answers a question; `local` where no front end stands between."""

WHO: ContextVar[str] = ContextVar("who", default="")
"""The name somebody has logged in by; empty for the owner of the unix socket."""


def front_named(name: str | None) -> Front:
    """The front end that a request's header names; without one somebody speaks HTTP by hand."""
    match name:
        case "tui" | "cli" | "web":
            return name
        case _:
            return "api"


def actor() -> str:
    """Who asks, while a question is answered. Names of users begin with a letter, uids do not."""
    return f"{FRONT.get()}:{WHO.get() or os.getuid()}"
