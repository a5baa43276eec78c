"""The type of durations as people write them. Their text: see `duration_text`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from cronpilot.domain.duration_text import LONGEST, format_duration, parse_duration

__all__ = ["LONGEST", "Duration", "format_duration", "parse_duration"]


def _read(value: Any) -> Any:
    if isinstance(value, str):
        return parse_duration(value)
    if isinstance(value, timedelta):
        if value < timedelta():
            raise ValueError("a duration cannot be negative")
        return value
    raise ValueError(f"{value!r} is not a duration with a unit: write {value}s or 1h30m")


Duration = Annotated[
    timedelta,
    BeforeValidator(_read),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|[wdhms]))+$", "examples": ["90s"]}
    ),
]
"""A timedelta inside, `90s` or `1h30m` at every edge (YAML, JSON, the screen)."""
