"""APScheduler as the clock: the only modules that know it."""

from __future__ import annotations
