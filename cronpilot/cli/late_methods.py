"""Dataclasses whose methods are compiled when they are first called.

Python writes the source of up to seven methods for each dataclass, and compiles it at import: for
the 200 classes of an engine and what it stands on, an eighth of all that a start costs. Most of
these methods are never called.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

_Method = Callable[..., Any]


def compile_late() -> None:
    """From now on. Python 3.13 makes dataclasses in another way, which is left alone."""
    make_now = vars(dataclasses).get("_create_fn")
    if make_now is None or make_now.__module__ != dataclasses.__name__:
        return

    def make_late(name: str, *parts: Any, **scope: Any) -> _Method:
        return _late(name, lambda: make_now(name, *parts, **scope))

    vars(dataclasses)["_create_fn"] = make_late


def _late(name: str, make: Callable[[], _Method]) -> _Method:
    """A stand-in that puts the real method into its class at the first call."""

    # What threads do here at the same time does no harm: each makes the same, the last one stays.
    def method(self: Any, /, *given: Any, **named: Any) -> Any:
        made = make()
        made.__qualname__ = method.__qualname__
        for owner in type(self).__mro__:
            if owner.__dict__.get(name) is method:
                setattr(owner, name, made)
        return made(self, *given, **named)

    method.__name__ = name
    return method
