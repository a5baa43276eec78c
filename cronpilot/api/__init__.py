"""The engine's front: HTTP under /api, over its unix socket."""

from __future__ import annotations

from cronpilot.api.lean import load_fastapi

load_fastapi()  # before any module of this package imports it
