"""What APScheduler would look for at its import, and an engine does without."""

from __future__ import annotations

import importlib.metadata
import sys
from typing import Any


def load_apscheduler() -> None:
    """Import it without a search for plugins: three times it would read what every package that is
    installed here says of itself, and we hand it objects. Later this does nothing."""
    if "apscheduler.schedulers.base" in sys.modules:
        return
    search = importlib.metadata.entry_points
    vars(importlib.metadata)["entry_points"] = _none
    try:
        import apscheduler.schedulers.base  # noqa: F401
    finally:
        vars(importlib.metadata)["entry_points"] = search


def _none(**wanted: Any) -> tuple[()]:
    return ()
