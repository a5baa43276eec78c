"""CronPilot: a cockpit for scheduled work, in a terminal."""

from __future__ import annotations

__version__ = "0.1.0.dev0"
