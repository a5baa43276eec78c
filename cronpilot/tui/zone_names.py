"""Time zones that a few typed letters may mean. Pure."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones


def zone_matches(text: str, limit: int = 12) -> list[str]:
    """IANA names, the likeliest first: those that begin so, then those whose city does, then those
    in which it stands anywhere. Nothing for an empty text."""
    wanted = text.strip().lower().replace(" ", "_")
    if not wanted:
        return []
    ranked = []
    for name in _names():
        low = name.lower()
        if low.startswith(wanted):
            ranked.append((0, name))
        elif low.rpartition("/")[2].startswith(wanted):
            ranked.append((1, name))
        elif wanted in low:
            ranked.append((2, name))
    return [name for _, name in sorted(ranked)[:limit]]


@lru_cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))
