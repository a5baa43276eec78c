"""The engine's front: HTTP under /api, over its unix socket."""

from __future__ import annotations
