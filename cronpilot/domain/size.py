"""Sizes as people write them: 500MB, 2GB, or a plain number of bytes."""

from __future__ import annotations

import re
from typing import Any

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_WHOLE = re.compile(r"(\d+(?:\.\d+)?)([kmgt]?b|)", re.ASCII)


def parse_size(value: Any) -> int:
    """Bytes. Units are decimal, as disks are sold and `df -H` counts.

    Raises:
        ValueError: neither a whole number nor a number with a unit.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _WHOLE.fullmatch(value.replace(" ", "").lower()) if isinstance(value, str) else None
    if found is None or (not found[2] and "." in found[1]):
        raise ValueError(f"{value!r} is not a size: write 500MB, 2GB, or a number of bytes")
    return round(float(found[1]) * _UNITS[found[2]])


def format_size(size: int) -> str:
    """`812 B`, `3.1 MB`, `12 GB`: two digits at least, decimal units."""
    rest, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if rest < 1000:
            break
        rest, unit = rest / 1000, larger
    return f"{rest:.1f} {unit}" if rest < 10 and unit != "B" else f"{rest:.0f} {unit}"
